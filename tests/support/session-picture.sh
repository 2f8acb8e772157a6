#!/bin/sh
# Draws a recorded session as SVG: `make demo | sh tests/support/session-picture.sh >fixtures/readme/session.svg`.
# It shows the commands of the demo and what they print: not the build before them, nor what only checks the demo.
set -eu

awk '
function escaped(text) {
    gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text)
    return text
}
function keep(line) { lines[++count] = line; kind[count] = first; if (length(line) > widest) widest = length(line) }
/^\$ / { started = !/theirs$|^\$ git log|^\$ ls/ }
/^It works/ { started = 0 }
started {
    first = $1
    # As a terminal of 100 columns shows it.
    for (rest = $0; length(rest) > 100; rest = substr(rest, 101)) keep(substr(rest, 1, 100))
    keep(rest)
}
END {
    while (count > 0 && lines[count] == "") count--
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" widest * 7.8 + 40 "\" height=\"" count * 18 + 36 \
        "\" role=\"img\" font-family=\"monospace\" font-size=\"13\">"
    print "<title>A session: clone, push, fetch, and a refusal with the command that fixes it</title>"
    print "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#1b1f24\"/>"
    for (n = 1; n <= count; n++) {
        colour = "#d0d7de"
        if (kind[n] == "$") colour = "#ffffff\" font-weight=\"bold"
        if (kind[n] == "error:") colour = "#ff7b72"
        if (kind[n] == "hint:") colour = "#56d4dd"
        print "<text xml:space=\"preserve\" x=\"20\" y=\"" n * 18 + 14 "\" fill=\"" colour "\">" escaped(lines[n]) "</text>"
    }
    print "</svg>"
}'
