// SPDX-License-Identifier: Apache-2.0
// For tests: an environment without variables of ours, and files in a folder of their own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "store/samples.h"

namespace claviger::testing {

/// Takes away every CLAVIGER_ variable and gives the old ones back in the end.
class Environment {
public:
    Environment() : before_(take_all()) {}
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() {
        take_all();
        for (const auto& [name, value] : before_) {
            set(name, value);
        }
    }

    static void set(const std::string& name, const std::string& value) {
        setenv(name.c_str(), value.c_str(), 1);
    }

private:
    static std::map<std::string, std::string> take_all() {
        std::map<std::string, std::string> taken;
        for (char** at = environ; *at != nullptr; ++at) {
            const std::string entry = *at;
            if (entry.starts_with("CLAVIGER_")) {
                const std::size_t equals = entry.find('=');
                taken[entry.substr(0, equals)] = entry.substr(equals + 1);
            }
        }
        for (const auto& [name, value] : taken) {
            unsetenv(name.c_str());
        }
        return taken;
    }

    std::map<std::string, std::string> before_;
};

/// Writes a file with this mode and gives its path.
inline std::string write_file(const std::filesystem::path& path, const std::string& content,
                              mode_t mode = 0600) {
    std::ofstream(path) << content;
    chmod(path.c_str(), mode);
    return path.string();
}

} // namespace claviger::testing
