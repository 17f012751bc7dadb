// Only in the fully static build: nothing of the machine's own may be loaded into this process. A
// module of the machine is linked against the machine's libc; loading it into a static program ends
// in SIGFPE (seen with glibc 2.41).
#include <initializer_list>

#include <nss.h>

#include <openssl/crypto.h>

namespace {

/// Runs before any code that could look up a name or touch OpenSSL, and before threads.
[[gnu::constructor(101)]] void keep_the_machine_out() {
  // "files" and "dns" are built in. Any other word in /etc/nsswitch.conf (myhostname, resolve,
  // mdns4_minimal, sss, systemd) is a dlopen.
  __nss_configure_lookup("hosts", "files dns");
  for (const char* database : {"aliases",
                               "ethers",
                               "group",
                               "gshadow",
                               "initgroups",
                               "netgroup",
                               "networks",
                               "passwd",
                               "protocols",
                               "publickey",
                               "rpc",
                               "services",
                               "shadow"}) {
    __nss_configure_lookup(database, "files");
  }
  // openssl.cnf may activate providers and engines; each is a dlopen.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

}  // namespace
