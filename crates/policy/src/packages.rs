//! Which packages a tenant's programs may have installed.

use std::collections::BTreeSet;

use atoll_types::{TenantId, Trust};

use crate::policy::Policy;

/// The packages that may be installed for somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// What is allowed.
    pub allowed: AllowedPackages,
    /// What is not, whatever is allowed.
    pub denied: BTreeSet<String>,
    /// Names that are meant, though they resemble well-known ones.
    pub meant: BTreeSet<String>,
}

/// What may be installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowedPackages {
    /// Nothing.
    #[default]
    None,
    /// Every package of the registry.
    Any,
    /// Only these, what they need themselves included.
    These(BTreeSet<String>),
}

impl Policy {
    /// The packages that a tenant's programs may have: what the policy says of this tenant, else
    /// of everybody. A tenant that nobody vouches for has none unless the policy names it.
    #[must_use]
    pub fn packages(&self, tenant: &TenantId, trust: Trust) -> Packages {
        let own = self.tenants.get(tenant).map(|it| it.packages.as_ref());
        match own {
            Some(Some(packages)) => packages.clone(),
            None if trust == Trust::Unknown => Packages::default(),
            Some(None) | None => self.packages.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::policy;

    const TEXT: &str = r#"
[packages]
allowed = "any"
denied = ["left-pad"]

[tenants.alice]
trust = "trusted"
packages = { allowed = ["numpy", "six"] }

[tenants.bob]

[[rule]]
id = "only"
because = "b"
set.level = "process"
"#;

    #[test]
    fn a_tenant_has_what_the_policy_says_of_it_or_of_everybody() {
        let policy = policy(TEXT);
        let of = |name: &str, trust| policy.packages(&TenantId::new(name).unwrap(), trust);
        let everybodys = of("carol", Trust::Known);
        assert_eq!(everybodys.allowed, AllowedPackages::Any);
        assert!(everybodys.denied.contains("left-pad"));
        assert_eq!(of("bob", Trust::Known), everybodys);
        let names = ["numpy", "six"].map(str::to_owned);
        let these = AllowedPackages::These(names.into());
        assert_eq!(of("alice", Trust::Trusted).allowed, these);
        assert_eq!(of("mallory", Trust::Unknown), Packages::default());
    }

    #[test]
    fn a_policy_that_says_nothing_allows_nothing() {
        let text = "[[rule]]\nid = \"only\"\nbecause = \"b\"\nset.level = \"process\"\n";
        let packages = policy(text).packages(&TenantId::new("x").unwrap(), Trust::Trusted);
        assert_eq!(packages, Packages::default());
    }
}
