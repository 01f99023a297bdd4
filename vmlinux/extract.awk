# SPDX-License-Identifier: BSD-2-Clause
#
# extract.awk - takes the wanted types, and what they contain, out of a C dump of kernel BTF.
#
# usage: bpftool btf dump file /sys/kernel/btf/vmlinux format c | awk -f extract.awk types.txt -
#
# The dump is a list of top-level definitions in an order that compiles; the result keeps
# that order. A definition is "named" by `struct X`, `union X`, `enum X`, `typedef X`, or by
# every constant of a nameless enum (`anon X`). Fails if a wanted name is not in the dump.

# First file: the list of wanted names.
NR == FNR {
	sub(/#.*/, "")
	if (NF == 2)
		want[$1 " " $2] = 1
	next
}

# Second file: collect definitions, each up to the line that ends it in column one.
/^(#|\/\*|$)/ || /^ \*/ { next }
{
	text = text $0 "\n"
	if ($0 ~ /^[^ \t].*;$/) {
		define(text)
		text = ""
	}
}

END {
	for (name in want)
		need(name)
	for (i = 1; i <= count; i++)
		if (pointed[i] && !wanted[i])
			printf "%s;\n\n", title[i]
		else if (wanted[i])
			printf "%s\n", body[i]
	exit failed
}

# Files a definition under its names.
function define(def,    head, words, n, i)
{
	head = def
	sub(/\n.*/, "", head)
	n = split(head, words, /[^A-Za-z0-9_]+/)
	body[++count] = def
	if (words[1] == "typedef")
		file("typedef " typedef_name(def))
	else if (words[1] == "enum" && words[2] == "")
		file_constants(def)
	else if (head ~ /\{$/)
		file(words[1] " " words[2])
	else
		count--	# a mere declaration
}

function file(name)
{
	if (!(name in at)) {
		at[name] = count
		title[count] = name
	}
}

function file_constants(def,    lines, n, i)
{
	n = split(def, lines, "\n")
	for (i = 2; i < n; i++)
		if (match(lines[i], /[A-Za-z_][A-Za-z0-9_]*/))
			file("anon " substr(lines[i], RSTART, RLENGTH))
}

# The name a typedef gives: in parentheses for a function pointer, else the last word.
function typedef_name(def)
{
	if (match(def, /\(\*[A-Za-z0-9_]+\)/))
		return substr(def, RSTART + 2, RLENGTH - 3)
	sub(/(\[[0-9]*\])*;\n$/, "", def)
	sub(/.*[^A-Za-z0-9_]/, "", def)
	return def
}

# Marks a definition as wanted, and everything it contains by value.
function need(name,    i)
{
	if (!(name in at)) {
		printf "extract: no %s in the dump: this kernel lacks it\n", name > "/dev/stderr"
		failed = 1
		return
	}
	i = at[name]
	if (wanted[i])
		return
	wanted[i] = 1
	need_parts(body[i], name)
}

function need_parts(def, self,    rest, word, kind, next_char)
{
	rest = def
	while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
		word = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		if (kind != "" && (kind " " word) in at && kind " " word != self) {
			next_char = rest
			sub(/^ */, "", next_char)
			if (substr(next_char, 1, 1) == "*")
				pointed[at[kind " " word]] = 1
			else
				need(kind " " word)
		} else if (("typedef " word) in at && kind == "" && "typedef " word != self)
			need("typedef " word)
		kind = word ~ /^(struct|union|enum)$/ ? word : ""
	}
}
