/*
 * kernel/signal.h - signals: sent, pending, blocked, and delivered on the way to user mode. The numbers, flags and the
 * shape of frames are Linux's for i386 (<asm/signal.h>, <asm/ucontext.h>). Lock: one processor, no preemption.
 */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include <arch/trap.h>

#define SIGNALS    64u
#define QUEUE_MOST 256u /* nodes of one process */

struct proc;

/* The part of Linux's siginfo_t that anybody reads, in 12 of its 32 words. */
struct signal_info {
	int32_t signo, error, code;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			int32_t status; /* SIGCHLD; of others: the value */
			uint32_t utime, stime;
		} from;
		uint32_t address; /* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP */
	};
};

/* As rt_sigaction passes it. */
struct signal_action {
	uint32_t handler, flags, restorer;
	uint64_t mask;
};

struct signal_stack {
	uint32_t sp, flags, size;
};

/* One that is pending. From SIGRTMIN on there may be many of a kind. */
struct signal_node {
	struct signal_node *next;
	struct signal_info info;
};

struct signals {
	uint64_t pending, blocked;
	uint64_t waited; /* sigtimedwait's, while it sleeps: they wake it, blocked or not */
	uint64_t saved;  /* blocked before sigsuspend and the like, when has_saved */
	bool has_saved;
	bool has_fault;                     /* one that ends even the first process */
	struct signal_node *first[SIGNALS]; /* of pending ones, where there was memory for it */
	uint32_t queued;
	struct signal_stack stack;
	struct signal_action action[SIGNALS];
};

static inline uint64_t signal_bit(int signo)
{
	return 1ull << (signo - 1);
}

/* What a process gets that was just made, from its maker: actions and mask, nothing pending. */
void signals_copy(struct signals *to, const struct signals *from);

/* Handlers become the default; what is ignored stays so. For exec. */
void signals_reset(struct signals *s);

/* Forgets what is pending. */
void signals_drop(struct signals *s);

/* True when a signal is to be delivered, or is waited for. */
bool signal_due(const struct proc *p);

/* True when SIGKILL is to be delivered. */
bool signal_kills(const struct proc *p);

/*
 * Sends a signal; nothing where it is ignored and not blocked. The info may be null: sent by the kernel. Returns false
 * where one that queues found no room.
 */
bool signal_send(struct proc *p, int signo, const struct signal_info *info);

/* The running process caused it at this address: it is delivered even if blocked or ignored, and then ends it. */
void signal_fault(int signo, int code, uint32_t address);

/* Sends to the running process, as the kernel: SIGPIPE. */
void signal_current(int signo);

/*
 * Delivers what is due: changes the frame to enter a handler, stops or ends the running process. Without a handler a
 * call that a signal broke begins again: though that signal may be gone by now, as a stop is with SIGCONT.
 */
void signal_deliver(struct trap_frame *f);

/* Forgets a pending signal that is ignored by now. */
void signal_drop_ignored(struct proc *p, int signo);

/* Takes a pending signal out of a set; 0 when there is none. */
int signal_take(struct proc *p, uint64_t set, struct signal_info *out);

/* Sets the running process's blocked signals; SIGKILL and SIGSTOP never are. */
void signal_set_mask(uint64_t mask);

/* Sets its alternate stack, as sigaltstack: -EPERM while sp is on it, -EINVAL, -ENOMEM (too small), or 0. */
int signal_set_stack(const struct signal_stack *s, vaddr_t sp);

#endif
