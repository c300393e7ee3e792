// SPDX-License-Identifier: GPL-2.0-or-later
// default-buffers COMMAND...: runs it where no socket's receive buffer can be made larger than net.core.rmem_default.
//
// net.core.rmem_max is not a namespace's own: so a seccomp filter (seccomp(2)) answers EPERM to SO_RCVBUFFORCE, as the
// kernel does for want of CAP_NET_ADMIN, and takes SO_RCVBUF without doing it. (The kernel would double and cap it.)
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>

namespace {

constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offset));
}

// Goes on when the value is `wanted`, else `skip` instructions further.
constexpr sock_filter must_be(__u32 wanted, __u8 skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, wanted, 0, skip);
}

bool install() {
  // The numbers are small: the lower half of an argument is all of it, on the little-endian machines we run on.
  constexpr std::size_t kLevel = offsetof(seccomp_data, args) + sizeof(__u64);
  constexpr std::size_t kOption = kLevel + sizeof(__u64);
  std::array<sock_filter, 10> filter{load(offsetof(seccomp_data, nr)),
                                     must_be(__NR_setsockopt, 7),
                                     load(kLevel),
                                     must_be(SOL_SOCKET, 5),
                                     load(kOption),
                                     must_be(SO_RCVBUF, 1),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
                                     must_be(SO_RCVBUFFORCE, 1),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: default-buffers COMMAND...\n", stderr);
    return 64;
  }
  if (!install()) {
    std::perror("default-buffers: seccomp");
    return 1;
  }
  ::execvp(argv[1], argv + 1);
  std::perror(argv[1]);
  return 127;
}
