/** Programs in other languages, for the interpreters of the ladder. */

export const LUA = `
local t = {}
for i = 1, 2000 do t[i] = (i * 7919) % 1009 end
table.sort(t)
print(t[1], t[1000], t[2000], #t)
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(15), 7 // 2, 7 / 2, 2 ^ 0.5, 1 << 40, math.pi)
print(("x"):rep(5), ("hello world"):gsub("o", "0"), string.format("%5.2f|%q|%x", 3.14159, "a\\nb", 255))
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print(co(), co(), co())
print(pcall(error, "raised"), select("#", 1, nil, 3))
local f = assert(io.open("lua.tmp", "w")); f:write("line one\\nline two\\n"); f:close()
for l in io.lines("lua.tmp") do print(l) end
print(os.remove("lua.tmp"), os.getenv("HOME"), os.time { year = 2020, month = 1, day = 1, hour = 0 })
local s = 0; for i = 1, 200 do s = s + #string.rep("a", i) .. "" end print(s)
setmetatable(t, { __index = function(_, k) return k .. "!" end }); print(t.none)
os.exit(3)
`;

export const LUA_POPEN = `
local p = io.popen("echo from a child; exit 5"); print(p:read("a")); print(p:close())
print(os.execute("exit 2"))
`;

export const PERL = `
use strict; my %h; $h{$_ % 13} += $_ for 1 .. 2000;
print join(",", map { "$_=$h{$_}" } sort { $a <=> $b } keys %h), "\\n";
my $t = "The quick brown fox"; (my $u = $t) =~ s/(\\w+)/\\u\\L$1/g; print "$u\\n", scalar reverse($t), "\\n";
print join("|", "a1b22c333" =~ /(\\d+)/g), " ", sprintf("%.10g %s %05d %x", 1 / 3, "s", 42, 255), "\\n";
open my $f, ">", "perl.tmp" or die; print $f "line $_\\n" for 1 .. 3; close $f;
open $f, "<", "perl.tmp" or die; my @l = <$f>; print @l; unlink "perl.tmp"; print -e "perl.tmp" ? 1 : 0, "\\n";
eval { die { code => 7 } }; print $@->{code}, "\\n"; local $SIG{ALRM} = sub { die "alarm\\n" };
eval { alarm 1; select undef, undef, undef, 3; }; print $@;
my @s = sort { $a <=> $b } map { ($_ * 7919) % 1009 } 1 .. 1000; print "@s[0, 500, 999]\\n";
print pack("NnC", 1, 2, 3) eq "\\0\\0\\0\\1\\0\\2\\3" ? "packed\\n" : "not\\n";
exit 4;
`;

export const PERL_FORK = `
$| = 1; pipe my $r, my $w; my $p = fork; if (!$p) { close $r; print $w "from the child\\n"; exit 3 }
close $w; print <$r>; waitpid $p, 0; print $? >> 8, "\\n";
print \`echo back; exit 2\`, $? >> 8, "\\n"; system "kill -TERM \\$\\$"; print $? & 127, "\\n";
my @k = map { my $n = $_; my $k = fork; exit $n if !$k; $k } 1 .. 5; my $s = 0; for (@k) { waitpid $_, 0; $s += $? >> 8 } print "$s\\n";
local $SIG{CHLD} = sub { print "child gone\\n" }; my $k = fork; if (!$k) { exit 0 } 1 while waitpid($k, 0) <= 0 && $!{EINTR}; print "end\\n";
open my $c, "|-", "cat" or die; print $c "to cat\\n"; close $c;
`;

export const PYTHON = `
import sys, math, json, re, os, struct, collections, itertools, hashlib, functools, string, random, io
print(sys.version_info[:2], sys.byteorder, sys.maxsize)
d = collections.Counter(i * i % 13 for i in range(3000)); print(sorted(d.items()))
print(json.dumps({"a": [1, 2.5, None, True], "b": "x\\u00e9"}, sort_keys=True), re.findall(r"(\\w)(\\d+)", "a1 b22 c333"))
print(2 ** 200 % 10 ** 20, math.sin(1), math.factorial(30), 0.1 + 0.2, 1e308 * 10, float("nan"))
print(hashlib.sha256(b"x" * 1000).hexdigest(), struct.pack("<IhQ", 1, -2, 3).hex())
with open("python.tmp", "w") as f: f.write("".join(f"line {i}\\n" for i in range(100)))
print(sum(len(l) for l in open("python.tmp")), os.stat("python.tmp").st_size, sorted(os.listdir("tree"))); os.remove("python.tmp")
@functools.lru_cache(None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(80), list(itertools.permutations("abc"))[3], f"{3.14159:8.3f}|{255:#x}|{'x':>4}")
random.seed(7); print([random.randrange(100) for _ in range(5)])
class E(Exception): pass
try: raise E("caught")
except E as e: print(type(e).__name__, e)
def deep(n): return deep(n + 1)
try: deep(0)
except RecursionError as e: print("deep")
sys.exit(5)
`;

export const PYTHON_THREADS = `
import threading, queue, time, os, sys, signal
q = queue.Queue(); out = []
def work():
    while True:
        n = q.get()
        if n is None: return
        out.append(n * n); q.task_done()
ts = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in ts]; [q.put(i) for i in range(200)]; q.join(); [q.put(None) for _ in ts]; [t.join() for t in ts]
print(sum(out), threading.active_count())
c = threading.Condition(); turn = [0]
def player(me):
    for _ in range(20):
        with c:
            c.wait_for(lambda: turn[0] % 2 == me); turn[0] += 1; c.notify_all()
ps = [threading.Thread(target=player, args=(i,)) for i in (0, 1)]; [p.start() for p in ps]; [p.join() for p in ps]; print(turn)
e = threading.Event(); t = threading.Timer(0.02, e.set); t.start(); print(e.wait(5), e.wait(0))
b = threading.Barrier(3); r = []
bs = [threading.Thread(target=lambda: r.append(b.wait())) for _ in range(3)]; [x.start() for x in bs]; [x.join() for x in bs]; print(sorted(r))
l = threading.local(); l.x = 1
def other(): print(hasattr(l, "x"))
t = threading.Thread(target=other); t.start(); t.join()
signal.signal(signal.SIGALRM, lambda *a: print("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(0.05)
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as p: print(list(p.map(lambda x: x + 1, range(5))))
`;

export const PYTHON_PROCESSES = `
import subprocess, os, sys, signal, mmap, tempfile, select, time
print(subprocess.run(["echo", "hello"], capture_output=True, text=True))
p = subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True); print(p.communicate("b\\na\\n"), p.returncode)
print(subprocess.run("exit 7", shell=True).returncode, subprocess.run(["sh", "-c", "kill -9 $$"]).returncode)
try: subprocess.run(["sleep", "10"], timeout=0.1)
except subprocess.TimeoutExpired as e: print("timeout")
try: subprocess.run(["/nowhere"])
except FileNotFoundError as e: print(e)
r, w = os.pipe()
pid = os.fork()
if pid == 0: os.write(w, b"forked"); os._exit(3)
print(os.read(r, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
m = mmap.mmap(-1, 4096)
pid = os.fork()
if pid == 0: m[:5] = b"child"; os._exit(0)
os.waitpid(pid, 0); print(m[:5])
with open("map.tmp", "wb") as f: f.write(b"0123456789" * 1000)
with open("map.tmp", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0); m[10:15] = b"MAPPD"; print(m.find(b"MAPPD"), m.rfind(b"89"), len(m)); m.flush(); m.close()
print(open("map.tmp", "rb").read(20)); os.remove("map.tmp")
with tempfile.TemporaryDirectory() as d: print(os.path.isdir(d))
print(os.path.isdir(d)); print(select.select([r], [w], [], 0.01)[1] == [w])
pids = [os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {i}"], os.environ) for i in range(3)]
print([os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pids])
print(os.popen("echo popen").read(), end="")
`;

export const SQL = `
create table t(id integer primary key, n integer, s text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 1500)
  insert into t select x, (x * 7919) % 1009, 'name' || (x % 17) from c;
create index i on t(n);
select count(*), sum(n), avg(n), min(s), max(s) from t;
select s, count(*), total(n) from t group by s order by 2 desc, 1 limit 4;
select a.id, b.id from t a join t b on a.n = b.n and a.id < b.id order by 1, 2 limit 3;
begin; update t set n = n + 1 where id % 3 = 0; rollback;
begin; delete from t where id % 2 = 0; commit;
select count(*), sum(n) from t where s like 'name1%';
select printf('%.4f %s', 1.0 / 3, upper('x')), json_extract('{"a":[1,2]}', '$.a[1]'), date(0, 'unixepoch'), hex('ab');
pragma integrity_check;
explain query plan select * from t where n = 5;
`;

export const BC = `
scale=30; 4*a(1); e(1); sqrt(2); 2^200; define f(n) { if (n < 2) return 1; return n * f(n - 1); }
f(40); obase=16; 255; obase=10; ibase=2; 1010; ibase=A
for (i = 0; i < 5; i++) { i^3; }
`;
