/**
 * Calls of 32-bit programs that mean what the 64-bit call means, with zero-extended arguments and the same structures
 * (arch/x86/entry/syscalls/syscall_32.tbl): number, name, and behind "=" the 64-bit name where it is another.
 */
export const SAME = `
1:exit 2:fork 3:read 4:write 5:open 6:close 8:creat 9:link 10:unlink 12:chdir 14:mknod 15:chmod 20:getpid
21:mount 27:alarm 29:pause 33:access 36:sync 37:kill 38:rename 39:mkdir 40:rmdir 41:dup 42:pipe 45:brk 52:umount2
57:setpgid 60:umask 61:chroot 63:dup2 64:getppid 65:getpgrp 66:setsid 74:sethostname 83:symlink 85:readlink 87:swapon
88:reboot 91:munmap 94:fchmod 96:getpriority 97:setpriority 103:syslog 111:vhangup 115:swapoff 118:fsync
121:setdomainname 122:uname 123:modify_ldt 125:mprotect 132:getpgid 133:fchdir 135:sysfs 136:personality 143:flock
144:msync 147:getsid 148:fdatasync 150:mlock 151:munlock 152:mlockall 153:munlockall 154:sched_setparam
155:sched_getparam 156:sched_setscheduler 157:sched_getscheduler 158:sched_yield 159:sched_get_priority_max
160:sched_get_priority_min 163:mremap 168:poll 175:rt_sigprocmask 176:rt_sigpending 179:rt_sigsuspend 183:getcwd
184:capget 185:capset 190:vfork 198:lchown32=lchown 199:getuid32=getuid 200:getgid32=getgid 201:geteuid32=geteuid
202:getegid32=getegid 203:setreuid32=setreuid 204:setregid32=setregid 205:getgroups32=getgroups
206:setgroups32=setgroups 207:fchown32=fchown 208:setresuid32=setresuid 209:getresuid32=getresuid
210:setresgid32=setresgid 211:getresgid32=getresgid 212:chown32=chown 213:setuid32=setuid 214:setgid32=setgid
215:setfsuid32=setfsuid 216:setfsgid32=setfsgid 218:mincore 219:madvise 220:getdents64 224:gettid 226:setxattr
227:lsetxattr 228:fsetxattr 229:getxattr 230:lgetxattr 231:fgetxattr 232:listxattr 233:llistxattr 234:flistxattr
235:removexattr 236:lremovexattr 237:fremovexattr 238:tkill 239:sendfile64=sendfile 252:exit_group 254:epoll_create
255:epoll_ctl 256:epoll_wait 257:remap_file_pages 258:set_tid_address 262:timer_getoverrun 263:timer_delete 270:tgkill
289:ioprio_set 290:ioprio_get 295:openat 296:mkdirat 297:mknodat 298:fchownat 301:unlinkat 302:renameat 303:linkat
304:symlinkat 305:readlinkat 306:fchmodat 307:faccessat 310:unshare 313:splice 315:tee 318:getcpu 319:epoll_pwait
321:signalfd 322:timerfd_create 323:eventfd 327:signalfd4 328:eventfd2 329:epoll_create1 330:dup3 331:pipe2
340:prlimit64 344:syncfs 346:setns 349:kcmp 351:sched_setattr 352:sched_getattr 353:renameat2 355:getrandom 356:memfd_create
359:socket 360:socketpair 361:bind 362:connect 363:listen 364:accept4 367:getsockname 368:getpeername 369:sendto
371:recvfrom 373:shutdown 374:userfaultfd 375:membarrier 376:mlock2 377:copy_file_range 380:pkey_mprotect
381:pkey_alloc 382:pkey_free 383:statx 386:rseq 393:semget 395:shmget 397:shmat 398:shmdt 399:msgget
403:clock_gettime64=clock_gettime 404:clock_settime64=clock_settime 406:clock_getres_time64=clock_getres
407:clock_nanosleep_time64=clock_nanosleep 408:timer_gettime64=timer_gettime 409:timer_settime64=timer_settime
410:timerfd_gettime64=timerfd_gettime 411:timerfd_settime64=timerfd_settime 412:utimensat_time64=utimensat
414:ppoll_time64=ppoll 420:semtimedop_time64=semtimedop 422:futex_time64=futex
423:sched_rr_get_interval_time64=sched_rr_get_interval 424:pidfd_send_signal 434:pidfd_open 435:clone3 436:close_range
437:openat2 438:pidfd_getfd 439:faccessat2 441:epoll_pwait2 446:landlock_restrict_self 447:memfd_secret
448:process_mrelease 449:futex_waitv 451:cachestat 452:fchmodat2 454:futex_wake 455:futex_wait 456:futex_requeue
462:mseal 463:setxattrat 464:getxattrat 465:listxattrat 466:removexattrat
`;
