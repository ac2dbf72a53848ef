#include "freestanding.h"
static volatile int cnt; 
static void h(int s,struct si*i,struct ucx*u){ kv("sig",s);kv("code",i->code);kv("me",i->k.pid==SC(39));kx("val",i->code==-1||s>=32?i->k.val:0); u64 now;SC(14,0,0,&now,8);kx("blk",now);kx("old",u->mask);nl(); cnt++; }
static void hn(int s){ kv("n",s); nl(); cnt++; }
static void hs(int s,struct si*i,struct ucx*u){ char x; kv("onstack",(u64)&x);nl(); }
static u8 stk[65536] __attribute__((aligned(4096)));
static struct {u64 sp;i32 fl;i32 pad;u64 sz;} ss,os;
static void ha(int s,struct si*i,struct ucx*u){ char x; SC(131,0,&os); kv("in",(u64)&x>=(u64)stk&&(u64)&x<(u64)stk+65536); kv("fl",os.fl);kv("ucfl",u->ss_flags);kv("sz",os.sz);
  struct{u64 sp;i32 fl;i32 p;u64 sz;} n={(u64)stk,0,0,8192}; kv("set",SC(131,&n,0)); nl(); cnt++; }
static void q(int sig,u64 v){struct si i; memset(&i,0,sizeof i); i.signo=sig;i.code=-1;i.k.pid=SC(39);i.k.uid=0;i.k.val=v; long me=SC(39); long r=SC(129,me,sig,&i); if(r){kv("queue",r);nl();}}
int main_(long*sp){
  long pid=SC(39);
  for(int s=1;s<=64;s++) if(s!=9&&s!=19) act(s,h,SA_SIGINFO,0);
  ps("-- order\n");
  mask(0,~0ul); SC(62,pid,12);SC(62,pid,10);SC(62,pid,10); q(40,1);q(40,2);q(34,3);q(34,4); SC(234,pid,pid,15); SC(234,pid,pid,11);
  u64 pend=0; SC(127,&pend,8); kx("pending",pend);nl();
  mask(2,0);
  ps("-- mask and nodefer\n");
  act(10,h,SA_SIGINFO,B(12)|B(9)|B(40)); SC(62,pid,10);
  act(10,h,SA_SIGINFO|SA_NODEFER,B(12)); SC(62,pid,10);
  act(10,h,SA_SIGINFO|SA_RESETHAND,0); SC(62,pid,10); struct ksa o; SC(13,10,0,&o,8); kx("h",(u64)o.h);kx("fl",o.flags);nl();
  ps("-- flags readback\n"); {struct ksa a={h,0xffffffffffffffff,restorer,~0ul}; SC(13,10,&a,0,8); SC(13,10,0,&o,8); kx("fl",o.flags);kx("mask",o.mask);nl();}
  act(10,h,SA_SIGINFO,0);
  ps("-- errors\n");
  kv("kill64",SC(62,pid,65));kv("kill-sig-1",SC(62,pid,-1));kv("kill0",SC(62,pid,0));kv("killno",SC(62,999999,10));kv("tg0",SC(234,0,pid,10));kv("tk-1",SC(200,-1,10));kv("tgbad",SC(234,pid,pid+1,10));
  kv("sa0",SC(13,0,0,&o,8));kv("sa9",SC(13,9,0,&o,8)); {struct ksa a={h,0,0,0};kv("sa9set",SC(13,9,&a,0,8));kv("sasz",SC(13,10,&a,0,16));kv("sa65",SC(13,65,&a,0,8));}
  kv("safault",SC(13,10,8,0,8));kv("pmhow",SC(14,7,&pend,0,8));kv("pmhow0",SC(14,7,0,&pend,8));kv("pmsz",SC(14,0,&pend,0,4));kv("pmf",SC(14,0,8,0,8));kv("susp",SC(130,8,8));kv("suspsz",SC(130,&pend,4)); nl();
  ps("-- altstack\n");
  SC(131,0,&os); kv("fl",os.fl);kx("sp",os.sp);kv("sz",os.sz);nl();
  ss.sp=(u64)stk;ss.fl=0;ss.sz=2047; kv("small",SC(131,&ss,0)); ss.sz=65536; ss.fl=4; kv("badfl",SC(131,&ss,0)); ss.fl=0; kv("ok",SC(131,&ss,0)); kv("okon",(ss.fl=1,SC(131,&ss,&os)));kv("old",os.fl);
  SC(131,0,&os);kv("fl",os.fl);nl();
  act(10,ha,SA_SIGINFO|SA_ONSTACK,0); SC(62,pid,10);
  ss.fl=0x80000000; kv("auto",SC(131,&ss,0)); SC(62,pid,10); SC(131,0,&os); kx("fl",(u32)os.fl);kv("sz",os.sz);nl();
  ss.fl=2; kv("dis",SC(131,&ss,0)); SC(131,0,&os);kv("fl",os.fl);kx("sp",os.sp);kv("sz",os.sz);nl();
  act(10,h,SA_SIGINFO,0);
  ps("-- ignore\n");
  mask(0,B(10)|B(17)); SC(62,pid,10); act(10,(void*)1,0,0); SC(127,&pend,8); kx("pend",pend); SC(62,pid,10); SC(127,&pend,8);kx("pend",pend); act(10,h,SA_SIGINFO,0); act(17,0,0,0); SC(62,pid,17); SC(127,&pend,8);kx("pend",pend); act(17,h,SA_SIGINFO,0); nl(); mask(2,0); 
  ps("-- stop/cont\n");
  mask(0,~0ul); SC(62,pid,20); SC(127,&pend,8);kx("p",pend); SC(62,pid,18); SC(127,&pend,8);kx("p",pend); SC(62,pid,21);SC(127,&pend,8);kx("p",pend);SC(62,pid,18);SC(127,&pend,8);kx("p",pend);nl(); mask(2,0);
  ps("-- timedwait\n");
  mask(0,B(10)|B(41)); u64 w=B(10)|B(41); struct si i; u64 ts[2]={0,1000000}; kv("to",SC(128,&w,&i,ts,8)); q(41,77);SC(62,pid,10); kv("r",SC(128,&w,&i,ts,8));kv("code",i.code);kv("r",SC(128,&w,&i,ts,8));kv("code",i.code);kx("v",i.k.val);ts[1]=1000000000;kv("inval",SC(128,&w,0,ts,8));nl();
  u64 iv[4]={0,0,0,5000}; w=B(14); mask(0,B(14)); SC(38,0,iv,0); kv("alrm",SC(128,&w,&i,0,8));kv("code",i.code);kv("pid",i.k.pid);nl(); mask(2,0);
  iv[3]=5000; w=B(10); mask(0,B(10)); SC(38,0,iv,0); kv("eintr",SC(128,&w,&i,0,8));nl(); mask(2,0);
  ps("-- suspend\n");
  mask(0,B(10)|B(14)); SC(62,pid,10); w=B(14); kv("r",SC(130,&w,8)); nl(); w=B(10); iv[3]=5000; SC(38,0,iv,0); kv("r",SC(130,&w,8)); SC(14,0,0,&w,8);kx("mask",w);nl(); mask(2,0);
  ps("-- nanosleep\n");
  iv[3]=5000; SC(38,0,iv,0); u64 req[2]={10,0},rem[2]={99,99}; kv("r",SC(35,req,rem)); kv("rem",rem[0]);nl();
  act(14,h,SA_SIGINFO|SA_RESTART,0); SC(38,0,iv,0); kv("r",SC(35,req,rem)); kv("rem",rem[0]);nl();
  act(14,(void*)1,0,0); iv[3]=5000; req[0]=0;req[1]=20000000; SC(38,0,iv,0); kv("r",SC(35,req,rem));nl();
  act(14,h,SA_SIGINFO|SA_RESTART,0);
  ps("-- pause\n"); iv[3]=5000;SC(38,0,iv,0); kv("r",SC(34));nl();
  ps("-- futex\n"); u32 f=5; req[0]=0;req[1]=2000000; kv("again",SC(202,&f,0,4,0)); kv("to",SC(202,&f,128,5,req));kv("wake",SC(202,&f,1,9));kv("unal",SC(202,(u64)&f+1,0,5,0));kv("fault",SC(202,8,128,5,0));kv("wakef",SC(202,8,1,5));kv("wakep",SC(202,8,129,5)); kv("bs0",SC(202,&f,9,5,0,0,0)); act(14,h,SA_SIGINFO,0); SC(38,0,iv,0); kv("intr",SC(202,&f,0,5,0)); req[0]=5; SC(38,0,iv,0); kv("intrto",SC(202,&f,0,5,req));nl();
  ps("-- itimer\n"); iv[0]=1;iv[1]=5;iv[2]=7;iv[3]=0; u64 ov[4]; SC(38,0,iv,0); SC(36,0,ov); kv("int",ov[0]);kv("us",ov[1]);kv("left",ov[2]);nl(); iv[2]=0; kv("set",SC(38,0,iv,ov)); kv("alarm",SC(37,100));kv("alarm",SC(37,0));kv("alarm",SC(37,0));kv("bad",SC(38,3,iv,0)); iv[1]=1000000; kv("badus",SC(38,0,iv,0)); nl();
  ps("-- end\n"); flush();
  return 0;
}
