# SPDX-License-Identifier: GPL-2.0-or-later
# Everything comes from Debian 12's packages; scripts/bootstrap installs them.
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBNL REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
pkg_check_modules(NFTABLES REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
# By pkg-config: the CMake package insists on the HTTP server, zlib and curl of its other parts.
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
if(UNTROMBONE_TESTS)
  find_package(Catch2 2.13 REQUIRED)
endif()
