# SPDX-License-Identifier: Apache-2.0
# claviger_module(NAME DEPENDS module... LIBRARIES target...)
# makes the library claviger_NAME from src/NAME/*.cpp and the test program NAME_test from
# src/NAME/*_test.cpp. src/server/main.cpp belongs to the executable.
function(claviger_module name)
    cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cpp")
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/server/main\\.cpp$")

    list(TRANSFORM arg_DEPENDS PREPEND claviger_)
    if(sources)
        add_library(claviger_${name} STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(claviger_${name} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(claviger_${name} ${scope} "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(claviger_${name} ${scope}
        claviger_options ${arg_DEPENDS} ${arg_LIBRARIES})

    if(tests AND CLAVIGER_TESTS)
        add_executable(${name}_test ${tests})
        target_link_libraries(${name}_test PRIVATE claviger_${name} GTest::gmock_main)
        target_compile_definitions(${name}_test PRIVATE
            CLAVIGER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
        if(CMAKE_BUILD_TYPE STREQUAL "Release")
            # Of the tests alone: optimising them takes longer than running them as they are.
            set_property(SOURCE ${tests} APPEND PROPERTY COMPILE_OPTIONS -O0 -U_FORTIFY_SOURCE)
        endif()
        add_test(NAME ${name} COMMAND ${name}_test)
    endif()
endfunction()
