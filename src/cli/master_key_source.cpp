// SPDX-License-Identifier: Apache-2.0
#include "cli/master_key_source.h"

#include <algorithm>

#include "cli/option_sources.h"

namespace claviger {
namespace {

/// The credential's file; empty: there is none.
std::filesystem::path credential_file() {
    const auto directory = read_variable("CREDENTIALS_DIRECTORY", false);
    if (!directory || directory->empty()) {
        return {};
    }
    const auto file = std::filesystem::path(*directory) / master_key_credential;
    std::error_code ignored;
    return std::filesystem::exists(file, ignored) ? file : std::filesystem::path();
}

Result<void> check_one_source(const std::vector<std::string>& sources) {
    if (sources.size() <= 1) {
        return {};
    }
    return fail(ErrorCode::invalid_request, "there are two master keys, from " + sources.front() +
                                                " and from " + sources.back() +
                                                "; keep one of them");
}

} // namespace

Result<FoundMasterKey> find_master_key(const Options& options, bool create, Random& random) {
    const auto credential = credential_file();
    const auto own_file = options.master_key_file();
    const std::string option = "the option master-key (" + options.master_key_origin + ")";
    std::error_code ignored;
    std::vector<std::string> sources;
    if (options.master_key) {
        sources.push_back(option);
    }
    if (!credential.empty()) {
        sources.push_back("the credential " + credential.string());
    }
    if (std::filesystem::exists(own_file, ignored)) {
        sources.push_back(own_file.string());
    }
    TRY(check_one_source(sources));
    if (options.master_key) {
        MasterKey key = TRY(MasterKey::parse(options.master_key->reveal()));
        const bool was_in_environment = options.master_key_origin.starts_with("environment ") &&
                                        !options.master_key_origin.ends_with("_FILE");
        return FoundMasterKey{std::move(key), {option, {}}, was_in_environment};
    }
    if (!credential.empty()) {
        MasterKey key = TRY(MasterKey::load_credential(credential));
        return FoundMasterKey{std::move(key), {sources.front(), {}}};
    }
    MasterKey key = TRY(MasterKey::load(own_file, create, random));
    return FoundMasterKey{std::move(key), {own_file.string(), own_file}};
}

} // namespace claviger
