#!/bin/sh
# Tests split_log.awk: each line below is expected to give the fields beside it (address|time|path|query|status|agent), or
# to be malformed. Prints ok and not ok.
set -eu
cd "$(dirname "$0")"
failed=0
check() { # name, line, expected
    got=$(printf '%s\n' "$2" | LC_ALL=C awk -v file=f -f split_log.awk | LC_ALL=C awk -F '\001' '
        $12 != "" { print "malformed"; next } { print $3 "|" $4 "|" $6 "|" $7 "|" $8 "|" $11 }')
    if [ "$got" = "$3" ]; then
        echo "ok $1"
    else
        printf 'not ok %s\n  expected: %s\n  got:      %s\n' "$1" "$3" "$got"
        failed=1
    fi
}
t='[17/May/2015:10:05:03 +0000]'
iso='2015-05-17 10:05:03+0000'
check "combined" "1.2.3.4 - - $t \"GET /a?b=c HTTP/1.1\" 200 12 \"-\" \"Mozilla\"" "1.2.3.4|$iso|/a|b=c|200|Mozilla"
check "common" "1.2.3.4 - - $t \"GET /a HTTP/1.0\" 304 -" "1.2.3.4|$iso|/a||304|"
check "IPv6 and a user" "2001:db8::1 - anna $t \"HEAD / HTTP/2.0\" 200 0 \"-\" \"-\"" "2001:db8::1|$iso|/||200|"
check "a user with a blank" "1.2.3.4 - anna k $t \"GET / HTTP/1.1\" 200 0 \"-\" \"x\"" "1.2.3.4|$iso|/||200|x"
check "escaped quotes" "1.2.3.4 - - $t \"GET / HTTP/1.1\" 200 1 \"-\" \"a \\\"b\\\" c\"" "1.2.3.4|$iso|/||200|a \"b\" c"
check "escaped backslash" "1.2.3.4 - - $t \"GET / HTTP/1.1\" 200 1 \"-\" \"a\\\\\"" "1.2.3.4|$iso|/||200|a\\"
check "blank in the path" "1.2.3.4 - - $t \"GET /a b HTTP/1.1\" 404 1 \"-\" \"x\"" "1.2.3.4|$iso|/a b||404|x"
check "not HTTP" "1.2.3.4 - - $t \"\\x16\\x03\" 400 1 \"-\" \"-\"" "1.2.3.4|$iso|||400|"
check "another zone" "1.2.3.4 - - [01/Jan/2024:00:00:00 -0530] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"" "1.2.3.4|2024-01-01 00:00:00-0530|/||200|x"
check "leap day" "1.2.3.4 - - [29/Feb/2024:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"" "1.2.3.4|2024-02-29 00:00:00+0000|/||200|x"
check "more fields behind" "1.2.3.4 - - $t \"GET / HTTP/1.1\" 200 1 \"-\" \"x\" \"10.0.0.1\" 0.003" "1.2.3.4|$iso|/||200|x"
check "no leap day" "1.2.3.4 - - [29/Feb/2023:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"" malformed
check "no such month" "1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"" malformed
check "no such hour" "1.2.3.4 - - [17/May/2015:24:05:03 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"" malformed
check "cut off" "1.2.3.4 - - $t \"GET / HTTP/1.1\" 200 1 \"-\" \"Mozilla" malformed
check "no status" "1.2.3.4 - - $t \"GET / HTTP/1.1\" - - \"-\" \"x\"" malformed
check "prose" "the server was restarted" malformed
check "an empty line" "" ""
exit $failed
