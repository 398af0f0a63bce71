#!/bin/sh
# Writes an access log in combined format to standard output, the same one every time.
#   generate_log.sh [lines]       (default 20000), four days of readers, crawlers, broken lines and things out of order
set -eu
LC_ALL=C exec awk -v lines="${1:-20000}" '
function random(below) { # a linear congruential generator: the same everywhere, unlike rand()
    seed = (seed * 16807) % 2147483647
    return seed % below
}
BEGIN {
    seed = 20150517
    pages = split("/ /blog/ /blog/backups-that-restore.html /blog/reading-query-plans.html /blog/tags/postgres /articles/ssh-security/ " \
        "/articles/time-zones/ /articles/indexes/ /projects/keytool/ /projects/keytool/manual.html /presentations/queues-2015/ " \
        "/about/ /contact/ /files/keytool-1.4.tar.gz /files/queues-2015.pdf /wp-login.php /no/such/page", page, " ")
    assets = split("/style.css /reset.css /images/logo.png /favicon.ico /js/menu.js", asset, " ")
    readers = split("Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0|" \
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.107 Safari/537.36|" \
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.73.11 (KHTML, like Gecko) Version/7.0.1 Safari/537.73.11|" \
        "Mozilla/5.0 (iPhone; CPU iPhone OS 7_0_4 like Mac OS X) AppleWebKit/537.51.1 (KHTML, like Gecko) Mobile/11B554a", reader, "|")
    crawlers = split("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)|" \
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)|UniversalFeedParser/4.2 +http://feedparser.org/", crawler, "|")
    origins = split("-|-|-|http://www.google.com/search?q=backup|http://www.bing.com/search?q=ssh|http://example.org/links.html", origin, "|")
    for (i = 0; i < lines; i++) {
        second = int(i * 4 * 86400 / lines) + random(120) - 60
        if (second < 0) second = 0
        # A few visitors come again and again, most hardly ever.
        visitor = random(3) ? random(40) : 40 + random(1500)
        address = "192.0.2." visitor % 250
        if (visitor >= 250) address = "198.51.100." visitor % 250
        if (visitor >= 800) address = "203.0.113." visitor % 250
        agent = visitor % 7 == 3 ? crawler[visitor % crawlers + 1] : reader[visitor % readers + 1]
        path = random(5) < 2 ? asset[random(assets) + 1] : page[random(random(2) ? pages : 12) + 1]
        status = path ~ /no.such|wp-login/ ? 404 : random(40) ? 200 : 304
        line = sprintf("%s - - [%02d/May/2015:%02d:%02d:%02d +0000] \"GET %s HTTP/1.1\" %d %d \"%s\" \"%s\"", address,
            17 + int(second / 86400), int(second / 3600) % 24, int(second / 60) % 60, second % 60, path, status,
            200 + random(40000), path ~ /css|png|ico|js$/ ? "http://www.example.com/" : origin[random(origins) + 1], agent)
        print random(lines) < 3 ? substr(line, 1, length(line) - 20) : line
    }
}'
