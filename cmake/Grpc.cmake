# SPDX-License-Identifier: Apache-2.0
# gRPC with all that only it needs, linked statically: a server that does not use it then loads
# nothing for it. What other modules load anyway (OpenSSL, zlib) stays dynamic.
find_package(PkgConfig REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(GRPC REQUIRED grpc++ protobuf-lite)
list(REMOVE_DUPLICATES GRPC_STATIC_LIBRARIES)
set(grpc_archives)
foreach(name IN LISTS GRPC_STATIC_LIBRARIES)
    find_library(grpc_archive NAMES "lib${name}.a" NO_CACHE PATHS ${GRPC_STATIC_LIBRARY_DIRS})
    if(grpc_archive AND name MATCHES "^(grpc|gpr|address_sorting|upb|re2|cares|absl_|protobuf)")
        list(APPEND grpc_archives "${grpc_archive}")
    endif()
    unset(grpc_archive)
endforeach()
add_library(grpc::grpc++ INTERFACE IMPORTED)
target_link_libraries(grpc::grpc++ INTERFACE
    -Wl,--start-group ${grpc_archives} -Wl,--end-group
    OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB Threads::Threads)

# Our messages. They are made when CMake runs, so that clang-tidy finds them without a build.
find_program(PROTOC protoc REQUIRED)
set(messages "${CMAKE_BINARY_DIR}/generated")
set(proto "${CMAKE_SOURCE_DIR}/src/grpc/external_auth.proto")
file(MAKE_DIRECTORY "${messages}")
execute_process(
    COMMAND "${PROTOC}" "--proto_path=${CMAKE_SOURCE_DIR}/src" "--cpp_out=${messages}" "${proto}"
    COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${proto}")
add_library(claviger_external_auth STATIC "${messages}/grpc/external_auth.pb.cc")
target_include_directories(claviger_external_auth SYSTEM PUBLIC "${messages}")
target_compile_options(claviger_external_auth PRIVATE -w)
target_link_libraries(claviger_external_auth PRIVATE claviger_options PUBLIC grpc::grpc++)
