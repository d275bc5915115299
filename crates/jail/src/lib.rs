//! Builds jails from Linux namespaces, seccomp, Landlock and cgroups
