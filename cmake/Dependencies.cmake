# SPDX-License-Identifier: Apache-2.0
# All dependencies are Debian 12 packages; see docs/adr/0002-dependencies.md.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(Boost 1.81 REQUIRED COMPONENTS json)

find_path(ARGON2_INCLUDE argon2.h REQUIRED)
find_library(ARGON2_LIBRARY argon2 REQUIRED)
add_library(argon2::argon2 INTERFACE IMPORTED)
target_include_directories(argon2::argon2 INTERFACE "${ARGON2_INCLUDE}")
target_link_libraries(argon2::argon2 INTERFACE "${ARGON2_LIBRARY}")

find_path(UTF8PROC_INCLUDE utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
add_library(utf8proc::utf8proc INTERFACE IMPORTED)
target_include_directories(utf8proc::utf8proc INTERFACE "${UTF8PROC_INCLUDE}")
target_link_libraries(utf8proc::utf8proc INTERFACE "${UTF8PROC_LIBRARY}")

include(Grpc)

if(CLAVIGER_TESTS)
    enable_testing()
    find_package(GTest REQUIRED)
endif()
