import type { Workload } from "./workloads.js";

/** Debian's packages of these programs, and the libraries they need beside those of the other workloads. */
const PACKAGES = [
  ..."luajit libluajit-5.1-2 libluajit-5.1-common sbcl libzstd1 ruby3.1 libruby3.1 libyaml-0-2 libgdbm6".split(
    " ",
  ),
  ..."php8.2-cli php8.2-common libxml2 libargon2-1 libsodium23 libicu72 libedit2 libbsd0 libmd0".split(" "),
  ..."redis-server redis-tools libjemalloc2 liblua5.1-0 lua-cjson lua-bitop liblzf1 libatomic1".split(" "),
  ..."libsystemd0 libcap2 libgcrypt20 libgpg-error0 liblz4-1 tmux libevent-core-2.1-7 libutempter0".split(
    " ",
  ),
  ..."vim-tiny vim-common libstdc++6 jq libjq1 libonig5 m4 ninja-build guile-3.0 guile-3.0-libs libgc1".split(
    " ",
  ),
  ..."libltdl7 libunistring2 strace libunwind8 socat zstd lz4 p7zip-full openssl gdb tcl8.6 libtcl8.6".split(
    " ",
  ),
  ..."libdw1 libelf1 libdebuginfod1 libbabeltrace1 libsource-highlight4v5 libxxhash0 libipt2 libpython3.11".split(
    " ",
  ),
];
/** The larger root (debianRoot). */
export const MORE_ROOT = { name: "debian-more", packages: PACKAGES };

const LUAJIT = `
local s = 0 for i = 1, 3e6 do s = s + i % 7 end print(s)
local t = {} for i = 1, 1000 do t[i] = tostring(i):rep(2) end print(#table.concat(t)) print((jit.status()))
local ffi = require("ffi") ffi.cdef "int getpid(void); double sin(double);" print(ffi.C.sin(1), ffi.C.getpid() > 0)
`;
const SBCL = `
(progn (print (loop for i below 100000 sum (mod (* i i) 7))) (print (expt 2 100))
  (defun fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (print (fib 20))
  (dotimes (i 5) (make-array 1000000)) (gc :full t)
  (print (handler-case (car 5) (error (e) (type-of e)))) (terpri) (exit :code 3))
`;
const RUBY = `
puts (1..1000).map { |x| x * x % 7 }.sum, RUBY_VERSION
h = Hash.new(0); "hello world".each_char { |c| h[c] += 1 }; p h.sort
t = 4.times.map { |i| Thread.new { (1..100).sum * i } }; p t.map(&:value)
r, w = IO.pipe; pid = fork { w.puts "child"; exit! 3 }; w.close; puts r.read; Process.wait pid; p $?.exitstatus
p Fiber.new { Fiber.yield 1; 2 }.resume; puts \`echo sub\`
begin; raise "x"; rescue => e; p e; end; p 2 ** 100; exit 4
`;
const PHP = `
echo array_sum(array_map(fn($x) => $x * $x % 7, range(1, 10000))), "\\n", md5("x"), "\\n", json_encode(["a" => [1, 2.5, null]]), "\\n";
preg_match("/(\\w)(\\d+)/", "a12", $m); print_r($m); echo shell_exec("echo sub"); exit(3);
`;
const REDIS = `
redis-server --port 7777 --save '' --daemonize no --logfile r.log & sleep 1; redis-cli -p 7777 ping; redis-cli -p 7777 set a 1
redis-cli -p 7777 incr a; redis-cli -p 7777 eval 'return redis.call("get","a")' 0
for i in 1 2 3; do echo "lpush l $i"; done | redis-cli -p 7777; redis-cli -p 7777 lrange l 0 -1
redis-cli -p 7777 shutdown nosave; wait; echo $?
`;
const NINJA = `
printf 'rule cat\\n  command = cat $in > $out\\nbuild o1: cat a.txt\\nbuild o2: cat b.txt\\nbuild o3: cat o1 o2\\n' > build.ninja
ninja -v -j1; cat o3; ninja
`;
const GUILE = `
(display (let loop ((i 0) (s 0)) (if (= i 10000) s (loop (+ i 1) (+ s (modulo (* i i) 7)))))) (newline)
(display (expt 2 100)) (newline) (display (call-with-current-continuation (lambda (k) (k 5)))) (newline) (exit 3)
`;
const TCL = `puts [expr {2**70}]; set s 0; for {set i 0} {$i < 20000} {incr i} {incr s $i}; puts $s; puts [exec echo sub]
after 20 {puts later; exit 5}; vwait forever
`;
const ARCHIVES = `
7z a -bd x.7z lines.txt > /dev/null; 7z l -ba x.7z | awk '{print $NF}'; mkdir o; 7z x -bd -oo x.7z > /dev/null
cmp o/lines.txt lines.txt && echo same; xz -T2 -k lines.txt; xz -dc lines.txt.xz | cmp - lines.txt
zstd -q -T2 lines.txt; zstd -dc lines.txt.zst | cmp - lines.txt; lz4 -q lines.txt l.lz4; lz4 -dc l.lz4 | cmp - lines.txt; echo $?
`;
const OPENSSL = `
openssl dgst -sha256 bytes.bin; openssl genrsa -out k.pem 1024 2> /dev/null; openssl rsa -in k.pem -pubout -out p.pem 2> /dev/null
openssl enc -aes-128-cbc -K 00112233445566778899aabbccddeeff -iv 00112233445566778899aabbccddeeff -in a.txt | base64
openssl dgst -sign k.pem -out s a.txt; openssl dgst -verify p.pem -signature s a.txt; openssl prime 1000003
`;
const STRACE = `
strace -e trace=write,exit_group -o t.txt /bin/echo hi; cat t.txt; strace -f -c -o c.txt sh -c 'echo x | cat'; grep -c write c.txt
`;
const GDB = `
gdb -q -nx -batch -ex 'break write' -ex run -ex 'info symbol $pc' -ex finish -ex kill /bin/echo 2>&1 |
  sed 's/[0-9a-fx]\\{6,\\}//g; s/process [0-9]*//' | tail -n 20
`;
const SOCAT = `
socat -u TCP-LISTEN:5555,reuseaddr,fork SYSTEM:'cat > got.txt' & sleep 0.5; echo over tcp | socat - TCP:127.0.0.1:5555; sleep 0.5
cat got.txt; kill %1; socat UNIX-LISTEN:s,fork EXEC:rev & sleep 0.5; echo abc | socat -t 2 - UNIX:s; kill %2; wait
echo 'x y' | socat - EXEC:'tr x z',pty,raw,echo=0
`;
const TMUX = `
export TERM=xterm; tmux -f /dev/null new-session -d -x 80 -y 24 cat; sleep 0.5; tmux send-keys hello Enter; sleep 0.5
tmux capture-pane -p | head -n 3; tmux kill-server; echo $?
`;
const VIM = `TERM=xterm vim.tiny -u NONE -es -c '%s/alpha/omega/' -c 'wq' a.txt; cat a.txt; script -qc 'tty; stty size' /dev/null`;

const bash = (script: string): readonly string[] => ["/bin/bash", "-c", script];
const SBCL_OPTIONS = ["--noinform", "--no-sysinit", "--no-userinit"];

/** Rungs L8 to L13, over the larger root. */
export const MORE_WORKLOADS: readonly Workload[] = (
  [
    ["L11", "luajit", ["/usr/bin/luajit", "-e", LUAJIT]],
    ["L11", "sbcl", ["/usr/bin/sbcl", ...SBCL_OPTIONS, "--eval", SBCL]],
    ["L11", "ruby", ["/usr/bin/ruby3.1", "--disable-gems", "-e", RUBY]],
    ["L6", "php", ["/usr/bin/php8.2", "-n", "-r", PHP]],
    ["L13", "redis", bash(REDIS)],
    ["L6", "jq", ["/usr/bin/jq", "-c", "sort_by(.a) | map(.b * 2)"], '[{"a":3,"b":1},{"a":1,"b":5}]'],
    [
      "L6",
      "m4",
      ["/usr/bin/m4"],
      "define(`f', `ifelse($1, 0, done, `f(decr($1))')')f(50)\nesyscmd(echo hi)eval(2**20)\n",
    ],
    ["L9", "ninja", bash(NINJA)],
    ["L11", "guile", ["/usr/bin/guile-3.0", "--no-auto-compile", "-c", GUILE]],
    ["L6", "tcl", ["/usr/bin/tclsh8.6"], TCL],
    ["L10", "7z, xz, zstd, lz4", bash(ARCHIVES)],
    ["L6", "openssl", bash(OPENSSL)],
    ["L9", "strace", bash(STRACE)],
    ["L9", "gdb", bash(GDB)],
    ["L13", "socat", bash(SOCAT)],
    ["L13", "tmux", bash(TMUX)],
    ["L8", "vim and script", bash(VIM)],
  ] as const
).map(([rung, name, argv, input]) => ({
  rung,
  name,
  argv,
  more: true,
  ...(input === undefined ? {} : { input }),
}));
