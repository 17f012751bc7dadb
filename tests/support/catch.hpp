#pragma once

// Debian 12 ships Catch2 2, newer distributions Catch2 3; tests use the subset that both have.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
