#!/usr/bin/env python3
"""Each check of tests/lint/run accepts a good tree and names the one thing that is wrong in a bad one."""
import importlib.machinery
import importlib.util
import os
import pathlib
import tempfile
import unittest

os.environ.pop("NIX_SEED_REQUIRE", None)
loader = importlib.machinery.SourceFileLoader("lint", str(pathlib.Path(__file__).parent / "run"))
lint = importlib.util.module_from_spec(importlib.util.spec_from_loader("lint", loader))
loader.exec_module(lint)


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        lint.ROOT = pathlib.Path(folder.name)

    def write(self, **files):
        for name, content in files.items():
            path = lint.ROOT / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def found(self, check):
        return list(lint.CHECKS[check]())

    def test_links_may_name_files_headings_and_the_web(self):
        self.write(a_dot_md="# One, two\n[a](docs/b.md#x-y) [b](#one-two) [c](https://example.org/x)\n", docs__b_dot_md="## X `Y`\n")
        self.assertEqual(self.found("links"), [])

    def test_a_link_to_a_missing_file_is_named(self):
        self.write(a_dot_md="[a](docs/b.md)\n")
        self.assertEqual(self.found("links"), ["a.md: docs/b.md does not exist"])

    def test_a_link_to_a_missing_heading_is_named(self):
        self.write(a_dot_md="# One\n[a](#two)\n")
        self.assertEqual(self.found("links"), ["a.md: #two has no such heading"])

    def test_what_looks_like_a_link_in_code_is_none(self):
        self.write(a_dot_md="`[a](b)`\n```\n[c](d)\n```\n")
        self.assertEqual(self.found("links"), [])

    def test_the_architecture_page_names_only_what_headers_have(self):
        self.write(docs__ARCHITECTURE_dot_md="`oci::good`, `oci::bad`, `later::x`\n", src__oci__a_dot_hpp="void good();\n")
        self.assertEqual(self.found("names"), ["docs/ARCHITECTURE.md: no header of src/oci has bad"])

    def test_trailing_blanks_are_found_by_line(self):
        self.write(a_dot_txt="good\nbad \n", b_dot_txt="no end")
        self.assertEqual(self.found("whitespace"), ["a.txt:2: trailing blank", "b.txt: no newline at the end"])

    def test_fuzz_inputs_may_be_of_any_shape(self):
        self.write(tests__fuzz__corpus__x__one="bad \r\n ")
        self.assertEqual(self.found("whitespace"), [])

    def test_the_401st_line_is_too_many(self):
        self.write(src__a_dot_cpp="\n" * 400, src__b_dot_cpp="\n" * 401)
        self.assertEqual(self.found("length"), ["src/b.cpp: 401 lines, 400 are the limit"])

    def test_a_script_is_known_by_its_first_line(self):
        self.write(good="#!/usr/bin/env python3\nprint(1)\n", bad="#!/usr/bin/env python3\nprint(\n", prose="print(\n")
        self.assertEqual(self.found("python"), ["bad:2: '(' was never closed"])

    def test_a_header_that_needs_another_include_does_not_stand_alone(self):
        self.write(src__a__good_dot_hpp="#pragma once\nint f();\n", src__a__bad_dot_hpp="#pragma once\nstd::string g();\n")
        found = self.found("headers")
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("src/a/bad.hpp does not compile alone: "), found[0])

    def test_a_source_that_includes_its_header_first_proves_it(self):
        self.write(src__a__b_dot_hpp="std::string g();\n", src__a__b_dot_cpp='#include "a/b.hpp"\n')
        self.assertEqual(self.found("headers"), [])

    def test_a_missing_tool_is_a_skip_unless_lint_is_required(self):
        def check():
            raise lint.Skip("x is missing")

        self.assertTrue(lint.judge("x", check))
        os.environ["NIX_SEED_REQUIRE"] = "nix,lint"
        self.addCleanup(os.environ.pop, "NIX_SEED_REQUIRE")
        self.assertFalse(lint.judge("x", check))


if __name__ == "__main__":
    unittest.main(buffer=True)
