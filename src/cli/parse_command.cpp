// SPDX-License-Identifier: Apache-2.0
#include "cli/parse_command.h"

#include <algorithm>
#include <set>

#include <CLI/CLI.hpp>

#include "cli/api_command.h"
#include "cli/options_text.h"
#include "cli/suggestion.h"

namespace claviger {
namespace {

constexpr const char* program = "claviger";

/// A command in the making: its flags of the option table and its own arguments.
struct Command {
    CLI::App* app = nullptr;
    std::map<std::string, CLI::Option*, std::less<>> options;
    std::map<std::string, CLI::Option*, std::less<>> arguments;
    std::set<std::string, std::less<>> lists; // of the arguments, those that may be repeated
};

enum class TakesOptions : std::uint8_t { none, operators, all };

class Grammar {
public:
    Grammar() : root_("Turns access keys into bearer tokens and enforces access rules.", program) {
        root_.allow_extras()->require_subcommand(0, 1);
        root_.set_help_flag("-h,--help", "Print this help");
        root_.set_version_flag("--version", std::string(program)); // printed by the caller
        add_running_commands();
        add_configuration_commands();
        add_route_map_commands();
        add_tenant_commands();
        add_directory_commands();
        add_key_commands();
        add_api_commands();
        add("version", "Print the version", TakesOptions::none);
        root_.add_subcommand("help", "Print the help of a command");
    }

    std::expected<ParsedCommand, UsageText> parse(const std::vector<std::string>& arguments) {
        const bool asks_help = !arguments.empty() && arguments.front() == "help";
        const auto found = find_command({arguments.begin() + (asks_help ? 1 : 0), arguments.end()});
        if (!found) {
            return std::unexpected(found.error());
        }
        if (asks_help) {
            return std::unexpected(UsageText{ExitCode::ok, help_text(*found)});
        }
        try {
            root_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
        } catch (const CLI::CallForHelp&) {
            return std::unexpected(UsageText{ExitCode::ok, help_text(*found)});
        } catch (const CLI::CallForVersion&) {
            return ParsedCommand{"version", {}, {}};
        } catch (const CLI::ParseError& error) {
            return std::unexpected(mistake(error.what(), *found));
        }
        return collect(*found);
    }

private:
    Command& add(const std::string& path, const std::string& description, TakesOptions takes) {
        const std::size_t space = path.find(' ');
        CLI::App* parent =
            space == std::string::npos ? &root_ : root_.get_subcommand(path.substr(0, space));
        Command& command = commands_[path];
        command.app = parent->add_subcommand(path.substr(space + 1), description);
        command.app->allow_extras();
        for (const OptionSpec& spec : option_table()) {
            if (takes == TakesOptions::all ||
                (takes == TakesOptions::operators && spec.for_operators)) {
                command.options[std::string(spec.name)] =
                    add_value(command, flag_of(spec), spec.metavar, help_of(spec));
            }
        }
        return command;
    }

    void add_group(const std::string& name, const std::string& description) {
        root_.add_subcommand(name, description)->allow_extras()->require_subcommand(0, 1);
    }

    /// Repetition is judged in collect(), which knows the names.
    static CLI::Option* add_value(Command& command, const std::string& flag,
                                  std::string_view metavar, std::string help) {
        return command.app->add_option(flag, CLI::callback_t(), std::move(help))
            ->type_name(std::string(metavar))
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }

    static void add_argument(Command& command, const std::string& name, const std::string& flag,
                             std::string_view metavar, std::string help, bool is_required) {
        command.arguments[name] =
            add_value(command, flag, metavar, std::move(help))->required(is_required);
    }

    void add_running_commands() {
        Command& serve = add("serve", "Run the server", TakesOptions::all);
        serve.arguments["demo"] =
            serve.app->add_flag("--demo")->description("Put demo data into an empty directory");
        add("openapi", "Print the OpenAPI description of the API", TakesOptions::none);
    }

    void add_configuration_commands() {
        add_group("config", "Look at the configuration");
        add("config show", "Print the effective options and where each came from",
            TakesOptions::all);
        add("config check", "Look for mistakes in flags, environment and file", TakesOptions::all);
        add("config reference", "Print the reference page of all options (Markdown)",
            TakesOptions::none);
    }

    void add_route_map_commands() {
        add_group("routes", "Look at a map of APIs behind gateways");
        Command& check = add("routes check", "Look for mistakes in a map", TakesOptions::none);
        add_argument(check, "file", "FILE", "", "The map (TOML)", true);
        Command& test = add("routes test", "Print what a request would need", TakesOptions::none);
        add_argument(test, "file", "FILE", "", "The map (TOML)", true);
        add_argument(test, "method", "METHOD", "", "Such as GET", true);
        add_argument(test, "url", "URL", "", "Such as https://app.example.com/api/v1/workloads",
                     true);
    }

    void add_tenant_commands() {
        add_group("tenant", "Add, list, enable and disable tenants");
        Command& tenant =
            add("tenant add", "Add a tenant and its first administrator", TakesOptions::operators);
        add_argument(tenant, "realm", "REALM", "", "Short name in URLs: a-z, 0-9, inner hyphens",
                     true);
        add_argument(tenant, "name", "--name", "TEXT", "Name for people [the realm]", false);
        add_argument(tenant, "host", "--host", "NAME",
                     "Host name that selects the tenant; needed beside other tenants", false);
        add_argument(tenant, "admin-email", "--admin-email", "EMAIL",
                     "E-mail of the first administrator", true);
        add_argument(tenant, "admin-password-file", "--admin-password-file", "FILE",
                     "File with the administrator's password [generated and shown once]", false);
        add("tenant list", "List the tenants", TakesOptions::operators);
        for (const char* path : {"tenant enable", "tenant disable"}) {
            Command& command =
                add(path,
                    path == std::string("tenant enable") ? "Let a disabled tenant work again"
                                                         : "Refuse everything of a tenant at once",
                    TakesOptions::operators);
            add_argument(command, "realm", "REALM", "", "The tenant's realm", true);
        }
    }

    void add_directory_commands() {
        Command& backup = add("backup", "Write a verified backup, with or without a running server",
                              TakesOptions::operators);
        add_argument(backup, "file", "FILE", "", "The backup to write; an existing one is replaced",
                     true);
        Command& restore = add("restore", "Put a backup in place; the server must be stopped",
                               TakesOptions::operators);
        add_argument(restore, "file", "FILE", "", "The backup to read", true);
        Command& take_out = add("export", "Write a tenant as a JSON document, without secrets",
                                TakesOptions::operators);
        add_argument(take_out, "file", "FILE", "",
                     "The document to write; an existing one is replaced", true);
        Command& put_in = add("import", "Put such a document into a tenant: all of it or nothing",
                              TakesOptions::operators);
        add_argument(put_in, "file", "FILE", "", "The document to read", true);
        for (Command* command : {&take_out, &put_in}) {
            add_tenant_argument(*command);
        }
        add_group("audit", "Check the audit log");
        add("audit verify", "Recompute the hash chains of all tenants", TakesOptions::operators);
    }

    void add_key_commands() {
        add_group("keys", "List, rotate and burn signing keys");
        Command& list = add("keys list", "Print the signing keys of a tenant and their states",
                            TakesOptions::operators);
        Command& rotate = add("keys rotate",
                              "Make new signing keys now; they sign once verifiers "
                              "have had time to see them",
                              TakesOptions::operators);
        Command& burn = add("keys burn", "Take a signing key out at once, with all its tokens",
                            TakesOptions::operators);
        add_argument(burn, "kid", "KID", "", "The key, as \"keys list\" prints it", true);
        for (Command* command : {&list, &rotate, &burn}) {
            add_tenant_argument(*command);
        }
        Command& rekey = add("rekey", "Put another master key in the place of the one in force",
                             TakesOptions::operators);
        add_argument(rekey, "new-master-key-file", "--new-master-key-file", "FILE",
                     "File with the new master key; needed unless it lies in the data directory, "
                     "where one is made",
                     false);
        rekey.arguments["check"] = rekey.app->add_flag("--check")->description(
            "Say which master key is in force, and open everything that is sealed");
    }

    static void add_tenant_argument(Command& command) {
        add_argument(command, "tenant", "--tenant", "REALM",
                     "The tenant; needed when there are several", false);
    }

    void add_api_commands() {
        for (const CommandGroup& group : api_command_groups()) {
            add_group(std::string(group.name), std::string(group.help));
        }
        for (const ApiCommand& declared : api_commands()) {
            Command& command =
                add(std::string(declared.words), std::string(declared.help), TakesOptions::none);
            for (const ApiArgument& argument : declared.arguments) {
                add_api_argument(command, argument);
            }
            for (const ApiArgument& argument : common_api_arguments()) {
                add_api_argument(command, argument);
            }
            command.app->footer(std::string(credentials_help));
        }
    }

    static void add_api_argument(Command& command, const ApiArgument& argument) {
        const std::string name = argument_name(argument);
        if (argument.kind == ArgumentKind::flag) {
            command.arguments[name] = command.app->add_flag(std::string(argument.spelling))
                                          ->description(std::string(argument.help));
            return;
        }
        add_argument(command, name, std::string(argument.spelling), argument.metavar,
                     std::string(argument.help), argument.is_required);
        if (argument.kind == ArgumentKind::list) {
            command.lists.insert(name);
        }
    }

    /// The command that the first words name: "tenant add", "" for none.
    std::expected<std::string, UsageText> find_command(const std::vector<std::string>& words) {
        CLI::App* app = &root_;
        std::string path;
        for (const std::string& word : words) {
            std::vector<std::string> known;
            for (const CLI::App* child : app->get_subcommands({})) {
                known.push_back(child->get_name());
            }
            if (word.starts_with('-') || known.empty()) {
                break;
            }
            if (std::ranges::find(known, word) == known.end()) {
                return std::unexpected(UsageText{
                    ExitCode::usage, error_line("unknown command " + in_quotes(word),
                                                did_you_mean(word, known, see_help(path)))});
            }
            app = app->get_subcommand(word);
            path += (path.empty() ? "" : " ") + word;
        }
        return path;
    }

    static std::string error_line(const std::string& what, const std::string& what_to_do) {
        return "claviger: " + what + ": command line; " + what_to_do + "\n";
    }

    static std::string see_help(const std::string& path) {
        return "see \"" + std::string(program) + (path.empty() ? "" : " " + path) + " --help\"";
    }

    static UsageText mistake(const std::string& what, const std::string& path) {
        return {ExitCode::usage, error_line(what, see_help(path))};
    }

    /// The command at `path`, which exists.
    CLI::App* app_at(const std::string& path) {
        CLI::App* app = &root_;
        for (const std::string& word : CLI::detail::split(path, ' ')) {
            app = word.empty() ? app : app->get_subcommand(word);
        }
        return app;
    }

    std::string help_text(const std::string& path) {
        const CLI::App* app = app_at(path);
        return app->get_formatter()->make_help(app, program + (path.empty() ? "" : " " + path),
                                               CLI::AppFormatMode::Normal);
    }

    /// Repeats no more of a flag than its name: the rest might be a secret.
    UsageText judge_unexpected(const std::string& path, const std::vector<std::string>& extras) {
        const auto is_flag = [](const std::string& text) { return text.starts_with('-'); };
        const auto at = std::ranges::find_if(extras, is_flag);
        if (at == extras.end()) {
            return mistake("unexpected argument " + in_quotes(extras.front()), path);
        }
        const std::string flag = at->substr(0, at->find('='));
        for (const OptionSpec& spec : option_table()) {
            if (spec.kind == OptionKind::secret && flag == "--" + std::string(spec.name)) {
                return {ExitCode::usage,
                        error_line(std::string(spec.name) + " is a secret and no flag",
                                   "set " + variable_of(spec) + ", or give " + flag_of(spec) +
                                       " FILE")};
            }
        }
        std::vector<std::string> known;
        for (const CLI::Option* option : app_at(path)->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                known.push_back("--" + name);
            }
        }
        return {ExitCode::usage, error_line("unknown flag " + in_quotes(flag),
                                            did_you_mean(flag, known, see_help(path)))};
    }

    std::expected<ParsedCommand, UsageText> collect(const std::string& path) {
        if (const auto extras = app_at(path)->remaining(); !extras.empty()) {
            return std::unexpected(judge_unexpected(path, extras));
        }
        const auto at = commands_.find(path);
        if (at == commands_.end()) {
            return std::unexpected(UsageText{ExitCode::usage, help_text(path)});
        }
        const Command& command = at->second;
        ParsedCommand parsed{path, {}, {}};
        for (const OptionSpec& spec : option_table()) {
            const auto option = command.options.find(spec.name);
            if (option == command.options.end() || option->second->empty()) {
                continue;
            }
            const auto& values = option->second->results();
            if (values.size() > 1 && spec.kind != OptionKind::list) {
                return std::unexpected(mistake(flag_of(spec) + " is given twice", path));
            }
            parsed.flags[std::string(spec.name)] = CLI::detail::join(values, ",");
        }
        for (const auto& [name, option] : command.arguments) {
            if (!option->empty()) {
                parsed.arguments[name] = command.lists.contains(name)
                                             ? CLI::detail::join(option->results(), ",")
                                             : option->results().back();
            }
        }
        return parsed;
    }

    CLI::App root_;
    std::map<std::string, Command, std::less<>> commands_;
};

} // namespace

std::expected<ParsedCommand, UsageText> parse_command(const std::vector<std::string>& arguments) {
    return Grammar().parse(arguments);
}

} // namespace claviger
