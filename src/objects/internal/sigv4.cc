#include "objects/internal/sigv4.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/hmac.h"
#include "base/sha256.h"

namespace sluice::objects::internal {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

struct SigningTime {
  std::string full;  ///< "20130524T000000Z"
  std::string day;   ///< "20130524"
};

SigningTime TimeOf(int64_t now_ms) {
  std::string text = FormatUtc(now_ms);  // "2013-05-24T00:00:00Z"
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return {.full = text, .day = text.substr(0, 8)};
}

std::string ScopeOf(const SigningKey& key, const SigningTime& time) {
  return time.day + "/" + key.region + "/" + key.service + "/aws4_request";
}

/// Without blanks at the ends, runs of blanks as one.
std::string CanonicalValue(std::string_view value) {
  std::string canonical;
  bool was_blank = true;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t';
    if (!is_blank) canonical += c;
    if (is_blank && !was_blank) canonical += ' ';
    was_blank = is_blank;
  }
  while (canonical.ends_with(' ')) canonical.pop_back();
  return canonical;
}

struct CanonicalHeaders {
  std::string lines;    ///< "host:x\nrange:bytes=0-9\n"
  std::string signed_;  ///< "host;range"
};

CanonicalHeaders Canonical(const UnsignedRequest& request, const std::vector<NameValue>& added) {
  std::vector<NameValue> fields = {{"host", request.host}};
  for (const std::vector<NameValue>* list : {&request.headers, &added}) {
    for (const NameValue& field : *list) {
      fields.emplace_back(ToLower(field.first), CanonicalValue(field.second));
    }
  }
  std::ranges::stable_sort(fields, {}, &NameValue::first);
  CanonicalHeaders canonical;
  for (const NameValue& field : fields) {
    canonical.lines += field.first + ":" + field.second + "\n";
    if (!canonical.signed_.empty()) canonical.signed_ += ';';
    canonical.signed_ += field.first;
  }
  return canonical;
}

std::string Signature(const UnsignedRequest& request, std::string_view query,
                      const CanonicalHeaders& headers, const SigningKey& key,
                      const SigningTime& time) {
  std::string canonical = request.method + "\n" + EncodeForSigning(request.path, true) + "\n";
  canonical.append(query).append("\n");
  canonical += headers.lines + "\n" + headers.signed_ + "\n" + request.payload_hash;
  const std::string text = std::string(kAlgorithm) + "\n" + time.full + "\n" + ScopeOf(key, time) +
                           "\n" + ComputeSha256(canonical).ToHex();
  Digest signing_key = ComputeHmacSha256("AWS4" + key.secret_access_key, time.day);
  for (const std::string_view step : {std::string_view(key.region), std::string_view(key.service),
                                      std::string_view("aws4_request"), std::string_view(text)}) {
    signing_key = ComputeHmacSha256(BytesOf(signing_key), step);
  }
  return signing_key.ToHex();
}

}  // namespace

std::string EncodeForSigning(std::string_view text, bool keeps_slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size() + 16);
  for (const char c : text) {
    const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                               c == '~';
    if (is_unreserved || (keeps_slashes && c == '/')) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

std::string EncodeQuery(const std::vector<NameValue>& query) {
  std::vector<NameValue> encoded;
  encoded.reserve(query.size());
  for (const NameValue& one : query) {
    encoded.emplace_back(EncodeForSigning(one.first, false), EncodeForSigning(one.second, false));
  }
  std::ranges::sort(encoded);
  std::string text;
  for (const NameValue& one : encoded) {
    if (!text.empty()) text += '&';
    text += one.first + "=" + one.second;
  }
  return text;
}

std::vector<NameValue> SignHeaders(const UnsignedRequest& request, const SigningKey& key,
                                   int64_t now_ms) {
  const SigningTime time = TimeOf(now_ms);
  std::vector<NameValue> added = {{"x-amz-content-sha256", request.payload_hash},
                                  {"x-amz-date", time.full}};
  if (!key.session_token.empty()) added.emplace_back("x-amz-security-token", key.session_token);
  const CanonicalHeaders headers = Canonical(request, added);
  const std::string signature = Signature(request, EncodeQuery(request.query), headers, key, time);
  added.emplace_back("Authorization", std::string(kAlgorithm) + " Credential=" + key.access_key_id +
                                          "/" + ScopeOf(key, time) + ",SignedHeaders=" +
                                          headers.signed_ + ",Signature=" + signature);
  return added;
}

std::string SignQuery(const UnsignedRequest& request, const SigningKey& key, int64_t now_ms,
                      int64_t expires_s) {
  const SigningTime time = TimeOf(now_ms);
  const CanonicalHeaders headers = Canonical(request, {});
  std::vector<NameValue> query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", key.access_key_id + "/" + ScopeOf(key, time));
  query.emplace_back("X-Amz-Date", time.full);
  query.emplace_back("X-Amz-Expires", std::to_string(expires_s));
  if (!key.session_token.empty()) query.emplace_back("X-Amz-Security-Token", key.session_token);
  query.emplace_back("X-Amz-SignedHeaders", headers.signed_);
  const std::string encoded = EncodeQuery(query);
  return encoded + "&X-Amz-Signature=" + Signature(request, encoded, headers, key, time);
}

}  // namespace sluice::objects::internal
