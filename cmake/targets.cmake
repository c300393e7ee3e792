# SPDX-License-Identifier: GPL-2.0-or-later
# untrombone_library(NAME SOURCES...) makes the static library untrombone_NAME with the alias
# untrombone::NAME; untrombone_executable(NAME SOURCES...) an executable. Both get the project's warnings.
set(UNTROMBONE_WARNINGS
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
    -Wnull-dereference -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND UNTROMBONE_WARNINGS -Wduplicated-cond -Wlogical-op)
endif()

function(untrombone_options target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE ${UNTROMBONE_WARNINGS}
                                           $<$<BOOL:${UNTROMBONE_WERROR}>:-Werror>)
  if(UNTROMBONE_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${UNTROMBONE_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${UNTROMBONE_SANITIZE})
    # GCC 12 reports false positives in the standard library when it instruments it.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
                                             -Wno-null-dereference)
  endif()
endfunction()

function(untrombone_library name)
  add_library(untrombone_${name} STATIC ${ARGN})
  add_library(untrombone::${name} ALIAS untrombone_${name})
  untrombone_options(untrombone_${name})
endfunction()

function(untrombone_executable name)
  add_executable(${name} ${ARGN})
  untrombone_options(${name})
endfunction()

# Asio is compiled once (its own "separate compilation" mode); whoever links this sees declarations only.
add_library(untrombone_asio STATIC ${PROJECT_SOURCE_DIR}/cmake/asio.cpp)
add_library(untrombone::asio ALIAS untrombone_asio)
target_compile_definitions(untrombone_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                                                  BOOST_ASIO_DISABLE_HANDLER_TYPE_REQUIREMENTS)
target_link_libraries(untrombone_asio PUBLIC Boost::headers Threads::Threads)
# GCC 12 sees null dereferences in Asio's inlined executors that cannot happen.
target_compile_options(untrombone_asio INTERFACE -Wno-null-dereference)
if(UNTROMBONE_SANITIZE)
  target_compile_options(untrombone_asio PUBLIC -fsanitize=${UNTROMBONE_SANITIZE})
endif()
