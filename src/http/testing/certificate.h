// Self-signed certificates for tests.
#pragma once

#include <string>

namespace sluice::http::testing {

struct CertificateFiles {
  std::string certificate;  ///< PEM; clients may also take it as their authority
  std::string key;          ///< PEM
};

/// Writes "<stem>.crt" and "<stem>.key": a fresh key, for "localhost" and 127.0.0.1, valid for a
/// day. Failures are bugs of the test's machine (CHECK).
CertificateFiles WriteCertificate(const std::string& stem);

}  // namespace sluice::http::testing
