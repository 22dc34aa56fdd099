// SPDX-License-Identifier: Apache-2.0
#include "server/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <latch>
#include <mutex>
#include <sstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/operator_commands.h"
#include "cli/operator_messages.h"
#include "store/samples.h"

namespace claviger {
namespace {

using ::testing::ElementsAre;
using testing::TemporaryDirectory;

class RecordingLog final : public Log {
public:
    bool enabled(LogLevel) const override { return true; }
    void write(LogLevel, std::string_view message,
               std::initializer_list<LogField> fields) override {
        const std::scoped_lock lock(mutex_);
        text_ += message;
        for (const LogField& field : fields) {
            if (const auto* value = std::get_if<std::string_view>(&field.value)) {
                text_ += " " + std::string(field.name) + "=" + std::string(*value);
            }
        }
        text_ += '\n';
    }
    std::string text() const {
        const std::scoped_lock lock(mutex_);
        return text_;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
};

class ControlSocketTest : public ::testing::Test {
protected:
    std::unique_ptr<ControlSocket>
    start(const std::filesystem::path& directory,
          std::int64_t deadline = ControlSocket::request_deadline_milliseconds) {
        auto started = ControlSocket::start(
            directory,
            [this](const OperatorRequest& request) {
                ++handled_;
                OperatorAnswer answer{request.command != "fail", {request.command}};
                for (const auto& [name, value] : request.arguments) {
                    answer.lines.push_back(name + "=" + value);
                }
                return answer;
            },
            log_, deadline);
        EXPECT_TRUE(started) << (started ? "" : started.error().detail());
        return started ? *std::move(started) : nullptr;
    }

    /// A raw connection to the socket.
    static int connect_to(const std::filesystem::path& directory) {
        const auto address = ControlAddress::of(directory);
        const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(connection, address->address(), address->size()), 0);
        return connection;
    }

    /// Sends bytes, reads until the other end closes.
    static std::string exchange(int connection, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) {
                break;
            }
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        std::string answer;
        char block[4096];
        for (ssize_t count = 0; (count = ::recv(connection, block, sizeof block, 0)) > 0;) {
            answer.append(block, static_cast<std::size_t>(count));
        }
        ::close(connection);
        return answer;
    }

    TemporaryDirectory folder_;
    RecordingLog log_;
    std::atomic<int> handled_ = 0;
};

TEST_F(ControlSocketTest, AnswersOneRequestAConnection) {
    const auto control = start(folder_.path());
    OperatorRequest request("tenant list");
    request.arguments["host"] = "a.example.com";
    for (int i = 0; i < 3; ++i) {
        const auto answer = ask_server(folder_.path(), request);
        ASSERT_TRUE(answer && *answer);
        EXPECT_TRUE((*answer)->ok);
        EXPECT_THAT((*answer)->lines, ElementsAre("tenant list", "host=a.example.com"));
    }
    EXPECT_EQ(handled_, 3);
}

TEST_F(ControlSocketTest, TheSocketIsForItsOwnerOnly) {
    const mode_t before = ::umask(0);
    const auto control = start(folder_.path());
    ::umask(before);
    struct stat status{};
    ASSERT_EQ(::stat((folder_.path() / "control.sock").c_str(), &status), 0);
    EXPECT_TRUE(S_ISSOCK(status.st_mode));
    EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(ControlSocketTest, WithoutAServerThereIsNoAnswer) {
    EXPECT_FALSE(ask_server(folder_.path(), OperatorRequest("x")).value());
    EXPECT_FALSE(ask_server(folder_.path() / "absent", OperatorRequest("x")).value());
    start(folder_.path()).reset();
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "control.sock"));
    EXPECT_FALSE(ask_server(folder_.path(), OperatorRequest("x")).value());
}

TEST_F(ControlSocketTest, AStaleSocketIsReplaced) {
    const auto address = ControlAddress::of(folder_.path());
    const int old = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(old, address->address(), address->size()), 0);
    ::close(old); // as after kill -9: the name stays
    EXPECT_FALSE(ask_server(folder_.path(), OperatorRequest("x")).value());
    const auto control = start(folder_.path());
    EXPECT_TRUE(ask_server(folder_.path(), OperatorRequest("x")).value());
}

TEST_F(ControlSocketTest, AFileThatIsNoSocketIsLeftAlone) {
    const auto path = folder_.path() / "control.sock";
    std::ofstream(path) << "mine";
    EXPECT_FALSE(ControlSocket::start(folder_.path(), {}, log_));
    EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST_F(ControlSocketTest, ALongPathWorks) {
    const auto deep = folder_.path() / std::string(100, 'a') / std::string(100, 'b');
    std::filesystem::create_directories(deep);
    const auto control = start(deep);
    EXPECT_TRUE(std::filesystem::is_socket(deep / "control.sock"));
    EXPECT_TRUE(ask_server(deep, OperatorRequest("x")).value());
}

TEST_F(ControlSocketTest, MalformedRequestsAreRefusedAndNotRun) {
    const auto control = start(folder_.path());
    EXPECT_EQ(exchange(connect_to(folder_.path()), "{}\n"),
              encode(OperatorAnswer{false, {"the message is not one of the control socket"}}));
    const int half = connect_to(folder_.path());
    ::send(half, "{\"comm", 6, MSG_NOSIGNAL);
    ::shutdown(half, SHUT_WR);
    EXPECT_EQ(exchange(half, ""),
              encode(OperatorAnswer{false, {"the request ended before its line did"}}));
    EXPECT_EQ(handled_, 0);
    EXPECT_TRUE(ask_server(folder_.path(), OperatorRequest("x")).value());
}

TEST_F(ControlSocketTest, OversizeRequestsAreRefusedWhileTheyArrive) {
    const auto control = start(folder_.path());
    const std::string most(longest_operator_request, 'x');
    EXPECT_EQ(exchange(connect_to(folder_.path()), most + "x"),
              encode(OperatorAnswer{false, {"the request is over 64 KiB"}}));
    OperatorRequest request("x");
    request.arguments["a"] = most;
    const auto refused = ask_server(folder_.path(), request); // not even sent
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
    EXPECT_EQ(handled_, 0);

    request.arguments["a"] = std::string(longest_operator_request - 100, 'x');
    EXPECT_TRUE(ask_server(folder_.path(), request).value());
}

TEST_F(ControlSocketTest, ASilentPeerIsCutOff) {
    const auto control = start(folder_.path(), 50);
    EXPECT_EQ(exchange(connect_to(folder_.path()), "{\"command\":"),
              encode(OperatorAnswer{false, {"the request took too long"}}));
    EXPECT_TRUE(ask_server(folder_.path(), OperatorRequest("x")).value());
}

TEST_F(ControlSocketTest, StopsWhileIdleAndWhileAPeerIsSilent) {
    start(folder_.path()).reset();
    auto control = start(folder_.path(), 3'600'000);
    const int silent = connect_to(folder_.path());
    ASSERT_EQ(::send(silent, "{", 1, MSG_NOSIGNAL), 1);
    control.reset(); // returns long before the deadline
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "control.sock"));
    ::close(silent);
}

TEST_F(ControlSocketTest, ACommandThatRunsIsAnsweredBeforeTheStop) {
    std::promise<void> running;
    std::promise<void> go_on;
    auto started = ControlSocket::start(
        folder_.path(),
        [&](const OperatorRequest&) {
            running.set_value();
            go_on.get_future().wait();
            return OperatorAnswer{true, {"done"}};
        },
        log_);
    ASSERT_TRUE(started);
    auto answer = std::async(std::launch::async,
                             [&] { return ask_server(folder_.path(), OperatorRequest("backup")); });
    running.get_future().wait();
    auto stopped = std::async(std::launch::async, [&] { started->reset(); });
    go_on.set_value();
    stopped.get();
    const auto received = answer.get();
    ASSERT_TRUE(received && *received);
    EXPECT_THAT((*received)->lines, ElementsAre("done"));
}

TEST_F(ControlSocketTest, ALongCommandDoesNotHoldUpOthers) {
    std::latch running(2);
    std::promise<void> go_on;
    const std::shared_future<void> may_go_on = go_on.get_future().share();
    const auto control = ControlSocket::start(
        folder_.path(),
        [&](const OperatorRequest& request) {
            if (request.command == "backup") {
                running.count_down();
                may_go_on.wait();
            }
            return OperatorAnswer{true, {request.command}};
        },
        log_);
    ASSERT_TRUE(control);
    const auto ask = [&] { return ask_server(folder_.path(), OperatorRequest("backup")); };
    auto one = std::async(std::launch::async, ask);
    auto other = std::async(std::launch::async, ask);
    running.wait();
    const auto answer = ask_server(folder_.path(), OperatorRequest("tenant list"));
    go_on.set_value();
    ASSERT_TRUE(answer && *answer);
    EXPECT_THAT((*answer)->lines, ElementsAre("tenant list"));
    EXPECT_TRUE(one.get().value()->ok);
    EXPECT_TRUE(other.get().value()->ok);
}

TEST_F(ControlSocketTest, AThrowingCommandIsAFailedCommand) {
    const auto control = ControlSocket::start(
        folder_.path(),
        [](const OperatorRequest& request) -> OperatorAnswer {
            throw std::runtime_error(request.command);
        },
        log_);
    ASSERT_TRUE(control);
    for (int i = 0; i < 2; ++i) {
        const auto answer = ask_server(folder_.path(), OperatorRequest("backup"));
        ASSERT_TRUE(answer && *answer);
        EXPECT_FALSE((*answer)->ok);
    }
}

TEST_F(ControlSocketTest, TheLogNamesTheCommandAndNoArgument) {
    const auto control = start(folder_.path());
    OperatorRequest request("tenant add");
    request.arguments["admin-password"] = "planted-secret-value";
    ASSERT_TRUE(ask_server(folder_.path(), request).value());
    EXPECT_EQ(log_.text(), "operator command command=tenant add\n");
}

TEST_F(ControlSocketTest, OnlyRootAndTheOwnUserMayControl) {
    EXPECT_TRUE(may_control(0, 1000));
    EXPECT_TRUE(may_control(1000, 1000));
    EXPECT_FALSE(may_control(1001, 1000));
    EXPECT_FALSE(may_control(1000, 0));
    if (::geteuid() != 0) {
        return; // only root can become somebody else to try it for real
    }
    const auto control = start(folder_.path());
    ::chmod(folder_.path().c_str(), 0755);
    ::chmod((folder_.path() / "control.sock").c_str(), 0666);
    const auto address = ControlAddress::of(folder_.path());
    const int connection = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const pid_t child = ::fork();
    if (child == 0) { // only system calls from here on
        const bool became = ::setgid(65534) == 0 && ::setuid(65534) == 0;
        ::_exit(became && ::connect(connection, address->address(), address->size()) == 0 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_EQ(exchange(connection, encode(OperatorRequest("tenant list"))),
              encode(OperatorAnswer{false,
                                    {"only root and the server's own user may give "
                                     "commands"}}));
    EXPECT_EQ(handled_, 0);
}

TEST_F(ControlSocketTest, OperatorCommandsReachARunningServer) {
    const auto control = start(folder_.path());
    Options options;
    options.data = folder_.path();
    std::ostringstream out;
    std::ostringstream error;
    const OutputStreams streams{out, error};
    EXPECT_EQ(run_operator_command(options, OperatorRequest("tenant list"), streams), ExitCode::ok);
    EXPECT_EQ(out.str(), "tenant list\n");
    EXPECT_EQ(run_operator_command(options, OperatorRequest("fail"), streams), ExitCode::failed);
    EXPECT_EQ(error.str(), "claviger: fail\n");
}

} // namespace
} // namespace claviger
