/** Shell scripts of the ladder, for every shell that is POSIX's. */

export const LOOPS = `
i=0; s=0
while [ $i -lt 500 ]; do s=$((s + i * i % 7)); i=$((i + 1)); done
echo $s
f() { if [ $1 -le 1 ]; then r=1; else f $(($1 - 1)); r=$((r * $1)); fi; }
f 4; echo $r
for w in alpha beta gamma; do printf '%s-%d ' $w \${#w}; done; echo
x=hello.tar.gz; echo \${x%.gz} \${x##*.} \${y:-default}
case $x in *.gz) echo zipped;; *) echo plain;; esac
`;

export const PIPELINES = `
echo one two three | tr ' ' '\\n' | sort | while read w; do echo "<$w>"; done
x=$(echo inner; echo $(echo innermost)); echo "$x"
cat <<EOF
here $((6 * 7)) $(echo document)
EOF
cat <<'EOF'
as it $is
EOF
(exit 3); echo $?
{ echo a; echo b; } | wc -l | tr -d ' '
seq 1 50 | grep 7 | head -n 3
yes | head -n 2
false | true; echo $?
! true; echo $?
echo text > out.tmp; cat < out.tmp; echo more >> out.tmp; wc -c < out.tmp
exec 5> five.tmp; echo five >&5; exec 5>&-; cat five.tmp
ls /nowhere 2>&1 | wc -l
cat lines.txt | sort -n | uniq | cut -d ' ' -f 1 | tail -n 2
(cd tree; ls | sort | tr '\\n' ' '; echo); ls | wc -l
sh -c 'echo child $0 $1' a b
nosuchcommand 2>/dev/null; echo $?
`;

export const JOBS = `
ulimit -c 0
sleep 0.05 & first=$!
(exit 7) & second=$!
wait $second; echo second $?
wait $first; echo first $?
for i in 1 2 3; do (sleep 0.$((i * 2)); echo done $i) & done; wait
sleep 100 & kill $!; wait $!; echo killed $?
trap 'echo got usr1' USR1
kill -USR1 $$
(sleep 0.05; kill -USR1 $$; sleep 0.2) & wait $!; echo interrupted $(($? > 128)); wait
trap '' TERM; kill -TERM $$; echo survived
trap - TERM
trap 'echo leaving' EXIT
sh -c 'kill -KILL $$'; echo $?
sh -c 'kill -SEGV $$'; echo $?
exit 4
`;

export const JOB_CONTROL = `
set -m
sleep 0.05 & wait %1; echo $?
sleep 100 &
kill -STOP %1; sleep 0.05; jobs | sed 's/[0-9][0-9][0-9][0-9]*//'
kill -KILL %1; sleep 0.1; wait %1; echo $?
(echo group; exit 2) & sleep 0.1; wait $!; echo $?
fg %9 2>/dev/null; echo $(($? > 0))
`;

export const BASH = `
declare -A m; for i in {1..50}; do m[k$i]=$((i ** 3)); done
t=0; for k in "\${!m[@]}"; do ((t += m[$k])); done; echo $t
read -r first rest <<< "one two three"; echo "$first|$rest"
diff <(echo a; echo b) <(echo a; echo c); echo $?
mapfile -t lines < <(head -n 5 lines.txt); echo \${#lines[@]} "\${lines[3]}"
set -o pipefail; false | true; echo $?
echo a b c | { read x y; echo $y $x; }
coproc CAT { cat; }; echo through >&\${CAT[1]}; read line <&\${CAT[0]}; echo $line; kill $CAT_PID
time_out=; read -t 0.05 time_out < <(sleep 0.3); echo $(($? > 128))
[[ abc =~ b(.) ]] && echo \${BASH_REMATCH[1]}
for i in 1 2; do echo $i > job$i.tmp & done; wait; cat job?.tmp; echo "\${PIPESTATUS[@]}"
trap 'echo err $?' ERR; false; trap - ERR
(ulimit -n 20; ulimit -n)
printf '%(%Y)T\\n' 0
exit 5
`;

export const ZSH = `
typeset -A m; for i in {1..20}; do m[k$i]=$((i ** 3)); done
t=0; for k in \${(k)m}; do ((t += m[$k])); done; echo $t
a=(5 3 9 1); echo \${(o)a} \${a[-1]} \${#a}
diff <(echo a; echo b) =(echo a; echo c); echo $?
print -l **/*.txt(.on)
s=The-quick; echo \${s:u} \${s//e/3} \${(s:-:)s}
echo one | read x; echo $x
repeat 3 { echo -n x }; echo
exit 6
`;

export const COREUTILS = `
ls -la --time-style=+%Y tree | sed 's/ [0-9]* 20/ 20/' | sed 's/^total.*/total/'
ls -R tree; ls -1 | head -n 3
sort lines.txt | head -n 3; sort -n -k1,1 -u lines.txt | tail -n 2; sort -t, -k2,2n -k3,3r table.csv | head -n 3
grep -c 9 lines.txt; grep -rn tree tree | sort; grep -oE '[0-9]{4}' lines.txt | head -n 2; grep -v a a.txt
cut -d, -f3 table.csv | sort | uniq -c; tr a-z A-Z < a.txt; tr -d '\\n' < a.txt; echo; tr -s 'a' < a.txt
wc a.txt b.txt; head -n 2 a.txt b.txt; tail -n 1 a.txt; tail -c 5 a.txt; tac a.txt; rev a.txt 2>/dev/null
echo tee | tee t1.tmp t2.tmp; cat t1.tmp t2.tmp
printf '%s\\n' one two three | xargs -n 2 echo; find tree -type f | sort | xargs -P 2 wc -c | tail -n 1
find tree -name '*.txt' -printf '%p %s %y\\n' | sort; find . -newer a.txt -name '*.csv'; find tree -type d -exec echo {} \\;
du -s --apparent-size tree/a.txt; stat -c '%n %s %a %F %h' a.txt tree; stat -f -c %T . > /dev/null; echo $?
date -u -d @86400 +%F; date -d '2020-02-29 +1 year' +%F; env -i A=1 B=2 env | sort; seq -s, 1 10; seq 1 0.5 3
printf '%05d|%x|%-6s|%.3f\\n' 42 255 left 3.14159; echo -e 'a\\tb'; expr 6 '*' 7; test -f a.txt && echo file
comm a.txt b.txt; join -t, table.csv table.csv | head -n 2; paste a.txt b.txt; fold -w 3 a.txt | head -n 3; nl a.txt
md5sum a.txt; sha256sum bytes.bin; sum a.txt; cksum a.txt; base64 a.txt; od -A d -t x1z -N 32 bytes.bin; b2sum a.txt
cp -r tree copy.tmp; mv copy.tmp/a.txt copy.tmp/z.txt; ln -s z.txt copy.tmp/link; ln copy.tmp/z.txt copy.tmp/hard; readlink copy.tmp/link
ls -l copy.tmp/hard | cut -d ' ' -f 1,2; realpath copy.tmp/link; rm -r copy.tmp; ls copy.tmp
mkdir -p d.tmp/e/f; chmod 751 d.tmp; stat -c %a d.tmp; touch -d @1000 d.tmp/x; stat -c %Y d.tmp/x; rmdir d.tmp/e/f; truncate -s 100 d.tmp/y; stat -c %s d.tmp/y
dd if=bytes.bin bs=100 count=3 skip=2 2>/dev/null | md5sum; split -l 1000 lines.txt s.tmp.; ls s.tmp.*; cat s.tmp.* | cmp - lines.txt && echo whole
diff a.txt b.txt; diff -u a.txt b.txt | tail -n +3; cmp a.txt b.txt; id -u; whoami; basename /a/b.c .c; dirname /a/b; pwd; uname -s; arch
timeout 0.1 sleep 5; echo $?; nice -n 5 nice; mktemp -u XX | wc -c; shuf -i 1-5 | sort -n | tr '\\n' ' '; factor 1234567; numfmt --to=iec 1048576
tar cf t.tmp tree; tar tf t.tmp; gzip -c lines.txt | gzip -dc | cmp - lines.txt && echo gzip; bzip2 -c a.txt | bzip2 -d; xz -c a.txt | xz -d
`;

export const SED_AWK = `
sed -n '2,3p;$=' a.txt; sed 's/a\\(.\\)/<\\1>/g;/beta/d' a.txt; sed -e ':a' -e 'N;$!ba' -e 's/\\n/+/g' a.txt; sed -E 's/(.)(.)/\\2\\1/g;y/abc/xyz/' a.txt
sed -i.bak 's/alpha/ALPHA/' b.txt; cat b.txt b.txt.bak; sed '1!G;h;$!d' a.txt; sed --quit-now 2>/dev/null; echo $?
for awk in mawk gawk; do
$awk -F, '{ s += $2; n[$3]++ } END { printf "%d %.3f\\n", s, s / NR; for (i = 0; i < 7; i++) print i, n["name" i] }' table.csv
$awk 'BEGIN { for (i = 1; i < 8; i++) print exp(i / 3), sin(i), 2 ^ i, i ^ 0.5, int(i / 2); printf "%c%s%5.2f|%-5s|%x\\n", 65, "b", 3.14159, "x", 255 }'
$awk '{ gsub(/[aeiou]/, "#"); print toupper($0), length($0), substr($0, 2, 3), index($0, "#") }' a.txt
$awk 'BEGIN { while (("echo one; echo two" | getline line) > 0) print "got", line; "date -u -d @0 +%Y" | getline year; print year; print "to sort" | "sort"; close("sort"); print system("exit 3") }'
$awk 'BEGIN { n = split("c a b", x); for (i = n; i > 0; i--) printf "%s ", x[i]; print match("foobar", "o+"), RSTART, RLENGTH; print substr("hello", 0, 2); x["k"]; delete x["k"]; print ("k" in x) }'
done
gawk 'BEGIN { n = asorti(PROCINFO["identifiers"], x); print (n > 0); print strftime("%Y", 0, 1); printf "%s\\n", gensub(/(a)(b)/, "\\\\2\\\\1", "g", "abab"); PROCINFO["sorted_in"] = "@ind_str_asc"; a["z"]; a["y"]; for (k in a) print k }'
gawk 'BEGIN { c = "cat"; print "coprocess" |& c; close(c, "to"); c |& getline l; print l }'
`;
