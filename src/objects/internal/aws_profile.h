// The AWS files ~/.aws/credentials and ~/.aws/config. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::objects::internal {

/// One profile's settings. What is nested below a key, as "s3 =" has it, is "s3.addressing_style".
using AwsProfile = std::map<std::string, std::string, std::less<>>;
/// By name: "[profile dev]" and "[dev]" are both "dev".
using AwsProfiles = std::map<std::string, AwsProfile, std::less<>>;

/// Lines that are neither a section, a setting nor a comment are passed over, as AWS's own programs
/// do. Names of settings are in lower case.
AwsProfiles ParseAwsFile(std::string_view text);

/// The setting of a profile, if it is there and not empty.
std::optional<std::string> FindSetting(const AwsProfiles& profiles, std::string_view profile,
                                       std::string_view setting);

}  // namespace sluice::objects::internal
