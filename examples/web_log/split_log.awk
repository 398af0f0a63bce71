# Splits an access log (combined or common format, Apache or nginx) into fields separated by \001:
#   file, line, address, time, method, path, query, status, bytes, referrer, agent, malformed
# A line that is not in the format has only file, line and malformed, which says why; nothing is skipped silently.
# Plain POSIX awk; run it with LC_ALL=C, so that bytes in any encoding pass through.

BEGIN {
    OFS = "\001"
    split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", names, " ")
    for (i = 1; i <= 12; i++) month[names[i]] = i
    split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
}

function malformed(why) {
    print file, NR, "", "", "", "", "", "", "", "", "", why ": " substr($0, 1, 120)
}

# 17/May/2015:10:05:03 +0000 as ISO, or nothing.
function moment(text,    d, m, y) {
    if (text !~ /^[0-3][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-2][0-9]:[0-5][0-9]:[0-5][0-9] [+-][01][0-9][0-5][0-9]$/)
        return ""
    d = substr(text, 1, 2) + 0; m = month[substr(text, 4, 3)]; y = substr(text, 8, 4) + 0
    if (!m || d < 1 || substr(text, 13, 2) > 23 || y < 1970)
        return ""
    if (d > days[m] && !(m == 2 && d == 29 && (y % 4 == 0 && y % 100 != 0 || y % 400 == 0)))
        return ""
    return sprintf("%04d-%02d-%02d %s%s", y, m, d, substr(text, 13, 8), substr(text, 22))
}

# Puts back the quotes and backslashes that the server had escaped; "-" stands for nothing.
function value(text) {
    gsub(/\003/, "\"", text)
    gsub(/\004/, "\\", text)
    return text == "-" ? "" : text
}

/^[ \t]*$/ { next }

{
    line = $0
    gsub(/\\\\/, "\004", line)
    gsub(/\\"/, "\003", line)
    count = split(line, part, "\"")
    if (count != 3 && count < 7) { malformed("not the combined log format"); next }

    opening = index(part[1], " [")
    closing = index(part[1], "] ")
    if (split(part[1], who, " ") < 4 || !opening || closing < opening) { malformed("no address, user and time"); next }
    at = moment(substr(part[1], opening + 2, closing - opening - 2))
    if (at == "") { malformed("not a time"); next }

    if (split(part[3], result, " ") < 2 || result[1] !~ /^[1-5][0-9][0-9]$/ || result[2] !~ /^([0-9]+|-)$/) {
        malformed("no status and size"); next
    }
    size = result[2] == "-" ? "" : result[2]
    # A request that is not HTTP (a scanner's bytes, a time-out) has no path but did happen.
    verb = ""; path = ""; query = ""
    if (split(part[2], request, " ") >= 2 && request[1] ~ /^[A-Z]+$/) {
        verb = request[1]
        path = part[2]
        sub(/^[A-Z]+ /, "", path)
        sub(/ HTTP\/[0-9.]+$/, "", path)
        path = value(path)
        mark = index(path, "?")
        if (mark) { query = substr(path, mark + 1); path = substr(path, 1, mark - 1) }
    }
    print file, NR, who[1], at, verb, path, query, result[1], size,
        (count >= 7 ? value(part[4]) : ""), (count >= 7 ? value(part[6]) : ""), ""
}
