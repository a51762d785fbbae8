"""What other tools take for the same sitemap: `python peers.py FILE`, one line each, `name<TAB>seconds<TAB>entries`.

Needs lxml, scrapy, advertools and ultimate-sitemap-parser from PyPI; one that is missing is left out and named on
stderr. The best of three runs; files only, nothing is fetched.
"""

import gzip
import logging
import sys
import time

logging.disable(logging.CRITICAL)
NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def with_lxml(raw):
    from lxml import etree

    return [{child.tag: child.text for child in url} for url in etree.fromstring(raw).iter(NAMESPACE + "url")]


def with_scrapy(raw):
    from scrapy.utils.sitemap import Sitemap

    return list(Sitemap(raw))


def with_advertools(raw):
    import tempfile

    import advertools

    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(raw)
        file.flush()
        return advertools.sitemap_to_df("file://" + file.name)


def with_usp(raw):
    from usp.fetch_parse import XMLSitemapParser
    from usp.web_client.abstract_client import AbstractWebClient

    class Nothing(AbstractWebClient):
        def set_max_response_data_length(self, max_response_data_length):
            pass

        def get(self, url):
            raise AssertionError("nothing is fetched")

    parser = XMLSitemapParser(
        url="https://www.shop.test/sitemap.xml",
        content=raw.decode(),
        recursion_level=0,
        web_client=Nothing(),
        parent_urls=set(),
    )
    return list(parser.sitemap().all_pages())


def main():
    raw = open(sys.argv[1], "rb").read()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    for name, read in [("lxml", with_lxml), ("Scrapy", with_scrapy), ("advertools", with_advertools), ("usp", with_usp)]:
        best, entries = None, 0
        try:
            for _ in range(3):
                start = time.perf_counter()
                entries = len(read(raw))
                took = time.perf_counter() - start
                best = took if best is None else min(best, took)
        except ImportError as error:
            print(f"peers: {name} is left out: {error}", file=sys.stderr)
            continue
        print(f"{name}\t{best:.4f}\t{entries}")


main()
