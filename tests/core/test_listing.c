/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/listing.h"

#define COUNT(v) (sizeof(v) / sizeof(v[0]))

/* Feeds one piece that ends at an unreadable page; each reference is put behind the last, in <>. */
static void feed(struct listing *l, const char *p, size_t n, struct text *found)
{
	struct guard g = guard_of(p, n);
	struct slice in = { g.p, g.n }, href;

	while (listing_feed(l, &in, &href)) {
		text_char(found, '<');
		text_slice(found, href);
		text_char(found, '>');
	}
	assert_int_equal(in.n, 0);
	guard_free(&g);
}

static void check(const char *page, const char *expected, const struct text *found, const char *how, size_t at)
{
	assert_false(found->cut);
	if (strcmp(found->p, expected) != 0)
		fail_msg("%s %zu: '%s' gives '%s', not '%s'", how, at, page, found->p, expected);
}

/* Whole, byte by byte, and in two pieces at every place. */
static void expect_links(const char *page, const char *expected)
{
	static char buf[8192];
	size_t n = strlen(page);
	struct listing l;
	struct text found;

	text_init(&found, buf, sizeof(buf));
	listing_init(&l);
	for (size_t i = 0; i < n; i++)
		feed(&l, page + i, 1, &found);
	check(page, expected, &found, "bytes", n);
	for (size_t at = 0; at <= n; at++) {
		text_init(&found, buf, sizeof(buf));
		memset(&l, 0xa5, sizeof(l));
		listing_init(&l);
		feed(&l, page, at, &found);
		feed(&l, page + at, n - at, &found);
		check(page, expected, &found, "split at", at);
	}
}

static void the_page_of_http_server_is_read(void **state)
{
	(void)state;
	expect_links("<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		     "<title>Directory listing for /d/</title>\n</head>\n<body>\n<h1>Directory listing for /d/</h1>\n"
		     "<hr>\n<ul>\n"
		     "<li><a href=\"100%25.bin\">100%.bin</a></li>\n"
		     "<li><a href=\"%3Cb%3E.bin\">&lt;b&gt;.bin</a></li>\n"
		     "<li><a href=\"a%26b.bin\">a&amp;b.bin</a></li>\n"
		     "<li><a href=\"gr%C3%BCn.bin\">gr\xc3\xbcn.bin</a></li>\n"
		     "<li><a href=\"link.bin\">link.bin@</a></li>\n"
		     "<li><a href=\"q%22.bin\">q\".bin</a></li>\n"
		     "<li><a href=\"sub%20dir/\">sub dir/</a></li>\n"
		     "</ul>\n<hr>\n</body>\n</html>\n",
		"<100%25.bin><%3Cb%3E.bin><a%26b.bin><gr%C3%BCn.bin><link.bin><q%22.bin><sub%20dir/>");
}

static void the_page_of_nginx_is_read(void **state)
{
	(void)state;
	expect_links("<html>\n<head><title>Index of /d/</title></head>\n<body>\n"
		     "<h1>Index of /d/</h1><hr><pre><a href=\"../\">../</a>\n"
		     "<a href=\"sub/\">sub/</a>                  23-Nov-2026 04:59           -\n"
		     "<a href=\"1%3A2\">1:2</a>                   23-Nov-2026 04:59           4\n"
		     "<a href=\"what%3F.bin\">what?.bin</a>             23-Nov-2026 04:59          4G\n"
		     "<a href=\"very-long-name.bin\">very-long-na..&gt;</a>       23-Nov-2026 04:59           4\n"
		     "</pre><hr></body>\n</html>\n",
		"<../><sub/><1%3A2><what%3F.bin><very-long-name.bin>");
}

static void the_page_of_lighttpd_is_read_and_its_script_is_not(void **state)
{
	(void)state;
	expect_links("<!DOCTYPE html>\n<html>\n<head>\n<title>Index of /d/</title>\n<style type=\"text/css\">\n"
		     "a, a:active {text-decoration: none; color: blue;}\n</style>\n</head>\n<body>\n"
		     "<table summary=\"Directory Listing\" cellpadding=\"0\">\n"
		     "<tr class=\"d\"><td class=\"n\"><a href=\"../\">..</a>/</td><td class=\"s\">- &nbsp;</td></tr>\n"
		     "<tr><td class=\"n\"><a href=\"hash%231.bin\">hash#1.bin</a></td><td class=\"s\">0.1K</td></tr>\n"
		     "<tr><td class=\"n\"><a href=\"two%20words.bin\">two&#x20;words.bin</a></td></tr>\n"
		     "</table>\n<script type=\"text/javascript\">\n// <!--\n"
		     " return (a<b) ? -1 : (a>b) ? 1 : 0;\n"
		     " for (var i=0;i<a.length;i++) link.setAttribute(\"href\", \"#\");\n"
		     "// -->\n</script>\n</body>\n</html>\n",
		"<../><hash%231.bin><two%20words.bin>");
}

static void a_sortable_table_with_icons_is_read(void **state)
{
	(void)state;
	expect_links("<tr><th><a href=\"?C=N;O=D\">Name</a></th><th><a href=\"?C=S&amp;O=A\">Size</a></th></tr>\n"
		     "<tr><td valign=\"top\"><img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"></td>"
		     "<td><a href=\"/\">Parent Directory</a></td></tr>\n"
		     "<tr><td><img src=\"/icons/unknown.gif\" alt=\"[ ]\"></td><td>"
		     "<a title=\"a > b\" class='x' href=\"./c:d.bin\" download>c:d.bin</a></td></tr>\n",
		"<?C=N;O=D><?C=S&O=A></><./c:d.bin>");
}

static void markup_is_read_however_it_is_written(void **state)
{
	static const struct {
		const char *page, *links;
	} rows[] = {
		{ "", "" },
		{ "no links < here > at all & none", "" },
		{ "<a href=\"x\">", "<x>" },
		{ "<a href='x'>", "<x>" },
		{ "<a href=x>", "<x>" },
		{ "<a href=x/y/>", "<x/y/>" },
		{ "<a href=x class=y>", "<x>" },
		{ "<a href=x\nid=y>", "<x>" },
		{ "<A HREF=\"X\">", "<X>" },
		{ "<a name=x lang=y href=z>", "<z>" },
		{ "<a\r\n\thref\n=\f\"x\" >", "<x>" },
		{ "<a href = x>", "<x>" },
		{ "<a/href=x>", "<x>" },
		{ "<a href=\"it's\">", "<it's>" },
		{ "<a href='say \"x\"'>", "<say \"x\">" },
		{ "<a href=\"a b>c<d\">", "<a b>c<d>" },
		{ "<a href=\"\">", "<>" },
		{ "<a href=''><a href=y>", "<><y>" },
		{ "<a href=>x <a href=y>", "<y>" },
		{ "<a href>x <a href=y>", "<y>" },
		{ "<a href class=x>", "" },
		{ "<a class href=x>", "<x>" },
		{ "<a class=\"href=no\" href=x>", "<x>" },
		{ "<a class='>' href=x>", "<x>" },
		{ "<a title=\"x\"href=\"y\">", "<y>" },
		{ "<a data-href=no hrefx=no xhref=no hre=no hreff=no hreflang=no href=x>", "<x>" },
		{ "<a hre f=no href=x>", "<x>" },
		{ "<a =href=no>", "" },
		{ "<a href=x =no>", "<x>" },
		{ "<a href=x  =no>", "<x>" },
		{ "<a x> href=no <a x=y> href=no <a x=> href=no <a x='y'> href=no <a x/> href=no ", "" },
		{ "<a x/href=y>", "<y>" },
		{ "<a x /href=y>", "<y>" },
		{ "<a href/=no>", "" },
		{ "<a href==x>", "<=x>" },
		{ "<abbr href=no><area href=no><link href=no><a>text href=no</a>", "" },
		{ "<base href=\"/no/\"><a href=x>", "<x>" },
		{ "</a href=no>", "" },
		{ "< a href=no>", "" },
		{ "<<a href=x>", "<x>" },
		{ "<a\vhref=no>", "" },
		{ "<!-- <a href=x> -->", "<x>" },
		{ "<a href=\"x", "" },
		{ "<a href=x", "" },
		{ "<a href=\"x\"", "<x>" },
		{ "<a href=\"one\"><a href=\"two\"><a href=\"three\">", "<one><two><three>" },
		{ "<p>a href=\"no\"", "" },
		{ "<a \xc3\xa9=no href=\"\xe6\x97\xa5\">", "<\xe6\x97\xa5>" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_links(rows[i].page, rows[i].links);
}

static void entities_are_undone_once(void **state)
{
	static const struct {
		const char *page, *links;
	} rows[] = {
		{ "<a href=\"a&amp;b\">", "<a&b>" },
		{ "<a href='&lt;&gt;&quot;&apos;&amp;'>", "<<>\"'&>" },
		{ "<a href=&amp;x>", "<&x>" },
		{ "<a href=\"&#38;&#x26;&#X26;&#0038;&#x0026;\">", "<&&&&&>" },
		{ "<a href=\"&#x4a;&#x4A;&#x4F;&#127;&#x7f;\">", "<JJO\x7f\x7f>" },
		{ "<a href=\"&#x22;quoted&#34;\">", "<\"quoted\">" },
		{ "<a href=\"&amp;lt;&amp;amp;\">", "<&lt;&amp;>" },
		{ "<a href=\"&amp&lt;\">", "<&amp<>" },
		{ "<a href=\"a&b=c;d\">", "<a&b=c;d>" },
		{ "<a href=\"a&b;&lt;\">", "<a&b;<>" },
		{ "<a href=\"&\">", "<&>" },
		{ "<a href=\"&;\">", "<&;>" },
		{ "<a href=\"&#;&#x;&#0;&#x0;\">", "<&#;&#x;&#0;&#x0;>" },
		{ "<a href=\"&#128;&#xe9;&#8364;&#4294967334;&#18446744073709551654;\">",
			"<&#128;&#xe9;&#8364;&#4294967334;&#18446744073709551654;>" },
		{ "<a href=\"&#3g;&#3a;&#xg;&#-38;&# 38;\">", "<&#3g;&#3a;&#xg;&#-38;&# 38;>" },
		{ "<a href=\"&nbsp;&AMP;&ampx;&eacute;\">", "<&nbsp;&AMP;&ampx;&eacute;>" },
		{ "<a href=\"&#38\">;", "<&#38>" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_links(rows[i].page, rows[i].links);
}

static void a_reference_too_long_is_passed_over(void **state)
{
	static char page[2 * LISTING_HREF_MAX + 64];

	(void)state;
	for (size_t n = LISTING_HREF_MAX - 1; n <= LISTING_HREF_MAX + 2; n++) {
		struct listing l;
		struct slice in, href;
		struct guard g;

		memcpy(page, "<a href=\"", 9);
		memset(page + 9, 'x', n);
		memcpy(page + 9 + n, "\"><a href=y>", 12);
		g = guard_of(page, 9 + n + 12);
		in = (struct slice){ g.p, g.n };
		listing_init(&l);
		assert_true(listing_feed(&l, &in, &href));
		assert_int_equal(href.n, n <= LISTING_HREF_MAX ? n : 1);
		if (n <= LISTING_HREF_MAX)
			assert_true(listing_feed(&l, &in, &href));
		assert_true(slice_eq(href, SLICE("y")));
		assert_false(listing_feed(&l, &in, &href));
		guard_free(&g);
	}
}

static void what_follows_a_reference_is_left_for_the_next_call(void **state)
{
	struct slice in = SLICE("<a href=\"x\">text<a href=y>"), href;
	struct listing l;

	(void)state;
	listing_init(&l);
	assert_true(listing_feed(&l, &in, &href));
	assert_true(slice_eq(href, SLICE("x")));
	assert_true(slice_eq(in, SLICE(">text<a href=y>")));
}

static void any_bytes_may_arrive(void **state)
{
	static const char bytes[] = "<<aAhHrReEfF==\"'  />&#x26;lt;\0\xff";
	uint32_t seed = 1;

	(void)state;
	for (size_t round = 0; round < 2000; round++) {
		char page[48], buf[256];
		struct listing l;
		struct text found;

		for (size_t i = 0; i < sizeof(page); i++) {
			seed = seed * 1664525 + 1013904223;
			page[i] = bytes[(seed >> 8) % (sizeof(bytes) - 1)];
		}
		memcpy(page, "<a href=", 8);
		text_init(&found, buf, sizeof(buf));
		listing_init(&l);
		feed(&l, page, sizeof(page), &found);
		assert_false(found.cut);
	}
}

static void files_are_told_from_everything_else(void **state)
{
	static const struct {
		const char *href;
		bool file;
	} rows[] = {
		{ "x.bin", true },
		{ "two%20words.bin", true },
		{ "what%3F.bin", true },
		{ "sub/x.bin", true },
		{ "./x.bin", true },
		{ "./c:d.bin", true },
		{ "sub/c:d.bin", true },
		{ "a..b", true },
		{ "..x", true },
		{ "x..", true },
		{ "...", true },
		{ ".hidden", true },
		{ "a//b", true },
		{ "-x", true },
		{ "", false },
		{ ".", false },
		{ "./", false },
		{ "x/.", false },
		{ "..", false },
		{ "../", false },
		{ "../x", false },
		{ "x/../y", false },
		{ "x/..", false },
		{ "./..", false },
		{ "sub/", false },
		{ "/", false },
		{ "/x", false },
		{ "//host/x", false },
		{ "?C=N;O=D", false },
		{ "x?y", false },
		{ "#top", false },
		{ "x#y", false },
		{ "http://host/x", false },
		{ "http:x", false },
		{ "mailto:me", false },
		{ "javascript:void", false },
		{ "c:d.bin", false },
		{ ":", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guard g = guard_of(rows[i].href, strlen(rows[i].href));

		if (listing_is_file((struct slice){ g.p, g.n }) != rows[i].file)
			fail_msg("'%s' is %s", rows[i].href, rows[i].file ? "refused" : "taken");
		guard_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_of_http_server_is_read),
		cmocka_unit_test(the_page_of_nginx_is_read),
		cmocka_unit_test(the_page_of_lighttpd_is_read_and_its_script_is_not),
		cmocka_unit_test(a_sortable_table_with_icons_is_read),
		cmocka_unit_test(markup_is_read_however_it_is_written),
		cmocka_unit_test(entities_are_undone_once),
		cmocka_unit_test(a_reference_too_long_is_passed_over),
		cmocka_unit_test(what_follows_a_reference_is_left_for_the_next_call),
		cmocka_unit_test(any_bytes_may_arrive),
		cmocka_unit_test(files_are_told_from_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
