// SPDX-License-Identifier: Apache-2.0
// A verifier on a line protocol, by which tests drive the library as a program uses it. Options are
// arguments, NAME=VALUE; each line is one command of words, and one line answers it.
#include <claviger/verifier.h>

#include <chrono>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Words = std::vector<std::string>;

claviger::verifier_options options_of(const std::map<std::string, std::string>& given) {
    const auto text = [&](const char* name) {
        const auto at = given.find(name);
        return at == given.end() ? std::string() : at->second;
    };
    claviger::verifier_options options;
    options.server = text("server");
    options.audience = text("audience");
    options.client_id = text("client_id");
    options.client_secret = text("client_secret");
    options.issuer = text("issuer");
    options.ca_file = text("ca_file");
    if (text("decisions") == "server") {
        options.decisions = claviger::decision_source::server;
    }
    if (!text("lease").empty()) {
        options.lease = std::chrono::seconds(std::stol(text("lease")));
    }
    options.log = [](std::string_view problem) { std::cerr << problem << '\n'; };
    return options;
}

std::string word(const Words& words, std::size_t place) {
    return place < words.size() ? words[place] : std::string();
}

std::string described(const claviger::refusal& refused) {
    return "refused " + std::to_string(refused.status) + " " +
           std::to_string(static_cast<int>(refused.reason)) + " " + refused.detail;
}

std::string described(const claviger::decision& made) {
    if (made.unavailable) {
        return "unavailable " + made.reason;
    }
    return made.allowed ? "allow " + (made.rule ? std::to_string(*made.rule) : std::string("?"))
                        : "deny " + made.reason;
}

std::string described(const claviger::verifier_status& status) {
    std::ostringstream out;
    out << "status ready=" << status.ready << " current=" << status.current
        << " number=" << status.number << " rules_number=" << status.rules_number
        << " connections=" << status.connections << " snapshots=" << status.snapshots
        << " rules_loaded=" << status.rules_loaded;
    return out.str();
}

class Probe {
public:
    explicit Probe(const claviger::verifier& verifier) : verifier_(verifier) {}

    std::string answer(const Words& words) {
        const std::string command = word(words, 0);
        if (command == "wait") {
            const bool ready = verifier_.wait_until_ready(std::chrono::seconds(30));
            return ready ? "ready" : "not ready: " + verifier_.status().last_problem;
        }
        if (command == "status") {
            return described(verifier_.status());
        }
        if (command == "verify") {
            return verify(word(words, 1), word(words, 2));
        }
        if (command == "can" && token_) {
            return described(
                verifier_.can(*token_, word(words, 1), {word(words, 2), word(words, 3)}));
        }
        if (command == "time" && token_) {
            return time(word(words, 1), {word(words, 2), word(words, 3)});
        }
        return "not understood";
    }

private:
    /// The token is kept for the commands that follow.
    std::string verify(const std::string& token, const std::string& source_ip) {
        const auto outcome = verifier_.verify(token, source_ip);
        if (!outcome) {
            return described(outcome.refused());
        }
        token_ = outcome.token();
        return "good " + token_->subject() + " " + token_->client_id();
    }

    /// The nanoseconds that one decision takes.
    std::string time(const std::string& permission, const claviger::scope& where) const {
        constexpr int count = 20000;
        const auto began = std::chrono::steady_clock::now();
        for (int i = 0; i < count; ++i) {
            if (!verifier_.can(*token_, permission, where)) {
                return "denied";
            }
        }
        const auto taken = std::chrono::steady_clock::now() - began;
        return "time " +
               std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count() /
                              count);
    }

    const claviger::verifier& verifier_;
    std::optional<claviger::verified_token> token_;
};

} // namespace

int main(int count, char** arguments) {
    std::map<std::string, std::string> given;
    for (const std::string& argument : Words(arguments + 1, arguments + count)) {
        const auto sign = argument.find('=');
        given[argument.substr(0, sign)] = argument.substr(sign + 1);
    }
    try {
        const claviger::verifier verifier(options_of(given));
        Probe probe(verifier);
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            Words split;
            for (std::string each; words >> each;) {
                split.push_back(each);
            }
            std::cout << probe.answer(split) << std::endl;
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
