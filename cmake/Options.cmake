# SPDX-License-Identifier: Apache-2.0
# What every target is compiled with.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# Of the sanitizers' builds: they find as much, and are built in half the time.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O0 -g1")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

option(CLAVIGER_TESTS "Build the test programs" ON)
option(CLAVIGER_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
set(CLAVIGER_SANITIZE "" CACHE STRING "address, thread or empty")

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(claviger_options INTERFACE)
target_compile_options(claviger_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Werror
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports these falsely in its own optimised standard library and in Boost.
    target_compile_options(claviger_options INTERFACE
        -Wno-maybe-uninitialized -Wno-null-dereference -Wno-restrict -Wno-stringop-overflow
        -Wno-array-bounds -Wno-free-nonheap-object -Wno-nonnull -fcoroutines)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # The stable_sort of GCC 12's library calls get_temporary_buffer, which the library deprecates.
    target_compile_options(claviger_options INTERFACE -Wno-deprecated-declarations)
endif()

if(CLAVIGER_SANITIZE STREQUAL "address")
    target_compile_options(claviger_options INTERFACE
        # The checks that UBSan inserts make GCC 12 see conversions that the source does not have.
        -Wno-sign-conversion -Wno-conversion
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
        # A check at every access of memory, which ASan sees as well or which x86 forgives: without
        # them objects are half as large.
        -fno-sanitize=null,alignment,object-size,vptr)
    target_link_options(claviger_options INTERFACE -fsanitize=address,undefined)
elseif(CLAVIGER_SANITIZE STREQUAL "thread")
    target_compile_options(claviger_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(claviger_options INTERFACE -fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(claviger_options INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong
        -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero -fPIE)
    target_link_options(claviger_options INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
