# SPDX-License-Identifier: MIT
"""What is answered before anything is measured: help, and what was typed wrong. Code 2, one line, and a way out."""

import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import hints, one_error, run

COMMANDS = ("check", "ping", "trace", "http", "serve", "caps", "help")


class Usage(unittest.TestCase):
    maxDiff = None

    def refused(self, *args, fault, hint=None):
        r = run(*args)
        self.assertEqual(r.code, 2, r)
        self.assertEqual(r.out, "", r)
        self.assertRegex(one_error(r), fault, r)
        if hint:
            self.assertTrue(any(re.search(hint, h) for h in hints(r)), f"no hint like {hint!r}: {r}")
        return r


class Help(Usage):
    def test_help_lists_every_command_on_standard_output(self):
        r = run("help")
        self.assertEqual((r.code, r.err), (0, ""), r)
        for name in COMMANDS:
            self.assertRegex(r.out, rf"(?m)^  sonde {name}\b", r)

    def test_the_long_and_the_short_option_show_the_same_as_the_command(self):
        wanted = run("help")
        for option in ("--help", "-h"):
            r = run(option)
            self.assertEqual((r.code, r.out), (0, wanted.out), r)

    def test_without_any_word_the_list_is_shown_but_the_exit_code_says_that_nothing_was_done(self):
        r = run()
        self.assertEqual((r.code, r.out), (2, run("help").out), r)

    def test_each_command_tells_its_own_options_in_three_ways(self):
        for name in COMMANDS[:-1]:
            wanted = run("help", name)
            self.assertEqual((wanted.code, wanted.err), (0, ""), wanted)
            self.assertIn(f"sonde {name}", wanted.out)
            for args in ((name, "--help"), (name, "-h"), (name, "--nosuch", "--help")):
                self.assertEqual(run(*args).out, wanted.out, args)

    def test_every_line_of_help_fits_a_terminal_of_130_columns_and_has_no_tab(self):
        for name in COMMANDS:
            for line in run("help", name).out.splitlines():
                self.assertLessEqual(len(line), 130, line)
                self.assertNotIn("\t", line)

    def test_the_options_that_the_help_names_exist(self):
        for name in COMMANDS[:-1]:
            for option in re.findall(r"(?m)^ .*?(--[a-z0-9-]+)", run("help", name).out):
                r = run(name, option, "x", "y", "--nosuch")
                self.assertNotIn(f"there is no option '{option}'", r.err, r)

    def test_an_unknown_command_asked_for_is_refused(self):
        self.refused("help", "nosuch", fault=r"^sonde: help: there is no command 'nosuch'$", hint="^sonde help$")

    def test_the_version_is_one_line_that_a_script_can_cut(self):
        r = run("--version")
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertRegex(r.out, r"\Asonde \d+\.\d+\.\d+\n\Z")


class Words(Usage):
    def test_a_misspelt_command_is_named(self):
        self.refused("pign", "127.0.0.1", fault="^sonde: check: ", hint="^sonde ping$")

    def test_check_without_a_target_shows_what_one_looks_like(self):
        self.refused("check", fault="^sonde: check: there is nothing to check$", hint=r"^sonde check \S+:8080$")

    def test_ping_without_a_target_shows_what_one_looks_like(self):
        self.refused("ping", fault="^sonde: ping: there is nothing to ping$", hint=r"^sonde ping \S+$")

    def test_check_takes_one_target_and_names_the_one_too_many(self):
        self.refused("check", "127.0.0.1", "127.0.0.2", fault="one target at a time, not also '127.0.0.2'$")

    def test_serve_takes_no_target(self):
        self.refused("serve", "127.0.0.1", fault="^sonde: serve: .*no target.*'127.0.0.1'$")

    def test_caps_takes_no_target(self):
        self.refused("caps", "127.0.0.1", fault="^sonde: caps: .*no target.*'127.0.0.1'$")

    def test_caps_says_which_formats_it_does_not_write(self):
        for f in ("csv", "prom"):
            self.refused("caps", "-f", f, fault="^sonde: caps: caps writes text or json$")


class Options(Usage):
    def test_an_unknown_option_names_the_nearest_one(self):
        for typed, meant in (("--cuont", "--count"), ("--tiemout", "--timeout"), ("--formt", "--format"),
                ("--ipv", "--ipv4")):
            self.refused("ping", typed, "127.0.0.1", fault=f"^sonde: ping: there is no option '{typed}'$",
                hint=f"^{meant}$")

    def test_an_unknown_option_of_serve_names_the_nearest_one(self):
        self.refused("serve", "--pulbic", fault="there is no option '--pulbic'$", hint="^--public$")

    def test_an_unknown_option_before_any_command_is_one_of_check(self):
        self.refused("--onyl", "ping", "127.0.0.1", fault="there is no option '--onyl'$", hint="^--only$")

    def test_an_option_that_is_like_none_gets_no_false_hint(self):
        r = self.refused("ping", "--xyzzyqq", "127.0.0.1", fault="there is no option '--xyzzyqq'$")
        self.assertEqual(hints(r), [])

    def test_an_unknown_letter_is_named_alone(self):
        self.refused("ping", "-qZ", "127.0.0.1", fault="there is no option '-Z'$")

    def test_the_beginning_of_an_option_is_not_taken_for_it(self):
        self.refused("check", "--tim", "3s", "127.0.0.1", fault="there is no option '--tim'$", hint="^--time$")

    def test_an_option_without_its_value_says_what_it_wants(self):
        self.refused("ping", "127.0.0.1", "--count", fault="--count needs a value: N$")
        self.refused("ping", "127.0.0.1", "-i", fault="--interval needs a value: TIME$")

    def test_a_flag_with_a_value_is_refused(self):
        self.refused("ping", "--quiet=yes", "127.0.0.1", fault="--quiet takes no value$")

    def test_a_number_out_of_range_says_the_range(self):
        for args, fault in (
                (("ping", "-c", "0"), r"--count '0' is too small \(1 to 4294967295\)$"),
                (("ping", "-c", "-3"), r"--count '-3' is too small \(1 to \d+\)$"),
                (("ping", "-c", "99999999999999999999999"), r"--count '9+' is too large \(1 to \d+\)$"),
                (("ping", "-W", "0"), r"--timeout '0' is too small \(1 ms to 1 h\)$"),
                (("ping", "-W", "2h"), r"--timeout '2h' is too large \(1 ms to 1 h\)$"),
                (("ping", "-i", "2h"), r"--interval '2h' is too large \(0 s to 1 h\)$"),
                (("ping", "-w", "0"), r"--deadline '0' is too small \(1 ms to 8760 h\)$"),
                (("ping", "-s", "70000"), r"--size '70000' is too large \(0 bytes to \S+ \S+\)$"),
                (("ping", "-t", "256"), r"--ttl '256' is too large \(1 to 255\)$"),
                (("check", "--time", "1ms"), r"--time '1ms' is too small \(100 ms to 1 h\)$"),
                (("check", "--time", "5h"), r"--time '5h' is too large \(100 ms to 1 h\)$"),
                (("check", "--connections", "0"), r"--connections '0' is too small \(1 to \d+\)$"),
                (("serve", "-p", "65536"), r"--port '65536' is too large \(0 to 65535\)$"),
                (("serve", "--max-clients", "0"), r"--max-clients '0' is too small \(1 to 65536\)$")):
            target = () if args[0] == "serve" else ("127.0.0.1",)
            self.refused(*args, *target, fault=fault)

    def test_what_is_no_number_says_what_was_expected(self):
        for args, fault in (
                (("ping", "-c", "3x"), r"--count '3x' is not a whole number \(1 to "),
                (("ping", "-c", "1.5"), r"--count '1.5' is not a whole number \(1 to "),
                (("ping", "-c", "0x10"), r"--count '0x10' is not a whole number \(1 to "),
                (("ping", "-i", "soon"), r"--interval 'soon' is not a duration \(0 s to 1 h\)$"),
                (("ping", "-i", "1,5"), r"--interval '1,5' is not a duration"),
                (("ping", "-s", "many"), r"--size 'many' is not a size")):
            self.refused(*args, "127.0.0.1", fault=fault)

    def test_a_word_that_is_no_choice_is_shown_the_choices(self):
        self.refused("check", "-f", "xml", "127.0.0.1", fault="--format 'xml' is not one of text json ndjson csv prom$")
        self.refused("check", "--only", "ping,foo", "127.0.0.1",
            fault="--only 'foo' is not one of ping download upload both$")
        self.refused("ping", "--via", "foo", "127.0.0.1", fault="--via 'foo' is not one of auto icmp udp tcp http$")

    def test_a_path_without_a_slash_is_refused(self):
        self.refused("check", "--path", "file", "127.0.0.1", fault="--path 'file' does not begin with a slash$")

    def test_a_source_that_is_no_address_is_refused(self):
        for command in ("check", "ping"):
            self.refused(command, "-S", "foo", "127.0.0.1", fault="--source 'foo' is not a numeric address$")

    def test_a_bind_address_that_is_a_name_is_refused(self):
        self.refused("serve", "-b", "localhost", fault="--bind 'localhost' is not a numeric address$")


class Expectations(Usage):
    def test_a_figure_that_does_not_exist_names_the_nearest_and_all(self):
        r = self.refused("ping", "--expect", "rt<3ms", "127.0.0.1", fault="there is no figure 'rt'$", hint="'rtt<3ms'")
        self.assertTrue(any("loss" in h and "jitter" in h for h in hints(r)), r)

    def test_the_figures_of_check_and_of_ping_are_their_own(self):
        self.refused("ping", "--expect", "download>1M", "127.0.0.1", fault="there is no figure 'download'$")

    def test_a_bound_without_an_operator_shows_an_example(self):
        self.refused("check", "--expect", "loss", "127.0.0.1",
            fault="--expect 'loss' needs <, <=, > or >= and a bound$", hint="'loss<1%'")
        self.refused("check", "--expect", "rtt=3", "127.0.0.1", fault="needs <, <=, > or >= and a bound$",
            hint="--expect 'rtt<")

    def test_a_bound_that_is_no_such_figure_is_refused(self):
        self.refused("check", "--expect", "loss<200%", "127.0.0.1", fault="the bound '200%' is too large")
        self.refused("check", "--expect", "download>fast", "127.0.0.1", fault="the bound 'fast' is not a rate")

    def test_a_bad_expectation_is_found_before_anything_is_sent(self):
        self.refused("check", "--expect", "nonsense", "127.0.0.1:1", fault="there is no figure 'nonsense'$")


class Targets(Usage):
    def refused_by_all(self, target, fault, hint=None):
        for command in ("check", "ping"):
            self.refused(command, target, fault=rf"^sonde: {command}: +{fault}$", hint=hint)

    def test_a_fault_has_no_two_spaces_in_a_row(self):
        for target in ("", "https://h/", "http://h:99999/", "http://[::1", "tcp://h", "a b", ":80", "no..such"):
            self.assertNotRegex(run("check", target).err, r"\S  +\S")

    def test_https_says_what_works_instead(self):
        self.refused_by_all("https://example.org/file",
            "'https://example.org/file' needs TLS, which sonde does not speak",
            hint=r"^sonde ping tcp://example\.org:443$")
        self.refused_by_all("HTTPS://[::1]:8443/", r"'HTTPS://\[::1\]:8443/' needs TLS, which sonde does not speak",
            hint=r"^sonde ping tcp://\[::1\]:8443$")

    def test_a_port_past_the_last_one_is_refused(self):
        self.refused_by_all("http://h:99999/", "'http://h:99999/' has a port that is not 1 to 65535")
        self.refused_by_all("h:0", "'h:0' has a port that is not 1 to 65535")
        self.refused_by_all("h:http", "'h:http' has a port that is not 1 to 65535")

    def test_an_open_bracket_is_refused(self):
        self.refused_by_all("http://[::1", r"'http://\[::1' has an open bracket")

    def test_brackets_around_a_name_are_refused(self):
        self.refused_by_all("[localhost]:80", r"'\[localhost\]:80' has brackets around what is no IPv6 address")

    def test_an_ipv6_address_with_a_port_and_no_brackets_is_explained(self):
        self.refused_by_all("2001:db8:0:0:0:0:0:1:8080",
            "'.*' is IPv6 with a port and needs brackets around the address")

    def test_an_empty_host_is_refused(self):
        self.refused_by_all("http:///file", "'http:///file' has no host")
        self.refused_by_all(":8080", "':8080' has no host")

    def test_an_empty_target_is_refused(self):
        self.refused_by_all("", "'' is empty")

    def test_a_space_is_refused(self):
        self.refused_by_all("exam ple", "'exam ple' has a space in it")
        self.refused_by_all("http://127.0.0.1/a b", "'http://127.0.0.1/a b' has a space in it")

    def test_control_characters_are_refused_and_never_reach_the_terminal(self):
        for bad in ("a\tb", "a\nb", "a\x1b[31mb", "http://127.0.0.1/\x07", "a\x7fb"):
            for command in ("check", "ping"):
                r = self.refused(command, bad, fault="has a control character in it$")
                self.assertNotRegex(r.err.replace("\n", ""), r"[\x00-\x1f\x7f]", r)

    def test_bytes_that_are_no_utf8_are_shown_in_hexadecimal(self):
        r = self.refused("ping", b"caf\xe9..x".decode("utf-8", "surrogateescape"), fault=r"caf\\xe9")
        r.err.encode("utf-8")

    def test_a_target_of_a_hundred_thousand_letters_is_refused_in_one_line(self):
        r = self.refused("ping", "a" * 100000, fault=r"^sonde: ping: +'a+\.\.\.' is longer than 2048 bytes$")
        self.assertLess(len(r.err), 600)

    def test_a_user_name_in_a_url_is_refused(self):
        self.refused_by_all("http://me@127.0.0.1/", "'http://me@127.0.0.1/' has a user name in it")

    def test_an_unknown_scheme_is_refused(self):
        self.refused_by_all("ftp://127.0.0.1/", "'ftp://127.0.0.1/' has a scheme that is not one of http, icmp, tcp, udp")

    def test_tcp_without_a_port_shows_one(self):
        self.refused_by_all("tcp://127.0.0.1", "'tcp://127.0.0.1' needs a port", hint=r"tcp://127\.0\.0\.1:80")

    def test_icmp_with_a_port_is_shown_without(self):
        self.refused_by_all("icmp://127.0.0.1:80", "'icmp://127.0.0.1:80' has a port, which icmp does not know",
            hint=r"icmp://127\.0\.0\.1$")

    def test_a_name_that_does_not_resolve_is_refused(self):
        self.refused_by_all("no..such", "cannot resolve 'no..such': .+")

    def test_quotes_in_a_name_are_shown_and_not_obeyed(self):
        self.refused_by_all('ex"am\'ple..x', "cannot resolve 'ex\"am'ple..x': .+")

    def test_a_zone_of_an_interface_that_is_not_there_is_refused(self):
        self.refused_by_all("fe80::1%nosuch0", "there is no network interface 'nosuch0'")

    def test_an_address_of_the_other_family_is_refused(self):
        for option, target, words in (("-4", "::1", "is not an IPv4 address"),
                ("-6", "127.0.0.1", "is not an IPv6 address")):
            for command in ("check", "ping"):
                self.refused(command, option, target, fault=rf"^sonde: {command}: +'{target}' {words}$")

    def test_one_bad_target_among_many_stops_all_before_the_first_packet(self):
        self.refused("ping", "127.0.0.1", "h:99999", "127.0.0.2", fault="'h:99999' has a port")

    def test_targets_that_need_different_ways_are_refused(self):
        self.refused("ping", "icmp://127.0.0.1", "tcp://127.0.0.1:80",
            fault="one run measures one way: 'tcp://127.0.0.1:80'")

    def test_a_lone_double_dash_lets_a_target_begin_with_a_dash(self):
        self.refused("ping", "--", "-c..x", fault="cannot resolve '-c..x'")


if __name__ == "__main__":
    unittest.main()
