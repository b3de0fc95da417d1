//! Where requests are sent: whose place an endpoint is, and whether it may be spoken to without TLS. Decided from the text
//! alone; no name is looked up.

use std::fmt;
use std::net::IpAddr;

/// AWS's partitions: their name in ARNs, how the names of their Regions begin, and the domains of their endpoints, those
/// that speak IPv6 too last.
const PARTITIONS: [(&str, &[&str], [&str; 2]); 8] = [
    ("aws-cn", &["cn-"], ["amazonaws.com.cn", "api.amazonwebservices.com.cn"]),
    ("aws-us-gov", &["us-gov-"], ["amazonaws.com", "api.aws"]),
    ("aws-iso", &["us-iso-"], ["c2s.ic.gov", "api.aws.ic.gov"]),
    ("aws-iso-b", &["us-isob-"], ["sc2s.sgov.gov", "api.aws.scloud"]),
    ("aws-iso-e", &["eu-isoe-"], ["cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"]),
    ("aws-iso-f", &["us-isof-"], ["csp.hci.ic.gov", "api.aws.hci.ic.gov"]),
    ("aws-eusc", &["eusc-"], ["amazonaws.eu", "api.amazonwebservices.eu"]),
    ("aws", &[""], ["amazonaws.com", "api.aws"]),
];

/// The places that hand out credentials to containers and instances, by plain HTTP, at addresses that no router passes on.
const CREDENTIAL_PLACES: [&str; 5] =
    ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];

/// The partition of a Region, as ARNs name it: `aws`, `aws-cn`.
pub fn partition(region: &str) -> &'static str {
    let found = PARTITIONS.iter().find(|(_, begins, _)| begins.iter().any(|begin| region.starts_with(begin)));
    found.map_or("aws", |(name, _, _)| name)
}

/// True of what can be the name of a Region: it becomes a part of host names.
pub fn is_region(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 63 && text.chars().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

/// A place that requests are sent to: what comes before the path of its URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    is_tls: bool,
    /// In lower case, an IPv6 address without its brackets.
    host: String,
    port: u16,
}

impl Endpoint {
    /// The place that this URL names; `None` if it is no URL of HTTP, or one that two readers may read differently.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        if !path.chars().all(|c| c.is_ascii_graphic() && c != '\\') {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                let address: IpAddr = host.parse().ok()?;
                (address.to_string(), port)
            }
            None => {
                let (host, port) = authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?;
                let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
                let host = host.strip_suffix('.').unwrap_or(host);
                let whole = host.split('.').all(|label| !label.is_empty());
                if !whole || !host.chars().all(named) {
                    return None;
                }
                (host.to_ascii_lowercase(), port)
            }
        };
        let port = match port.strip_prefix(':') {
            // Signs and spaces are no digits.
            Some(digits) if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) => digits.parse().ok()?,
            None if port.is_empty() => Self::usual_port(is_tls),
            Some(_) | None => return None,
        };
        Some(Self { is_tls, host, port })
    }

    const fn usual_port(is_tls: bool) -> u16 {
        if is_tls { 443 } else { 80 }
    }

    /// Its host, without port and brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// True if what is sent there is encrypted, and its answers are its own.
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// True of this very machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// True of the places that hand out the credentials of a container or an instance, which speak plain HTTP.
    pub fn hands_out_credentials(&self) -> bool {
        CREDENTIAL_PLACES.contains(&self.host.as_str())
    }

    /// True of AWS's own endpoint of this service, such as `s3`, in any Region of any partition. What else is below AWS's
    /// domains is its customers': load balancers, instances, buckets.
    pub fn is_amazons(&self, service: &str) -> bool {
        if !self.is_tls || self.port != Self::usual_port(true) {
            return false;
        }
        let fips = format!("{service}-fips");
        let is_service = |label: &str| label == service || label == fips;
        let is_place = |labels: &[&str], begins: &[&str]| match labels {
            [name] => *name == service && begins.contains(&""),
            [name, region] | [name, "dualstack", region] => {
                is_service(name) && is_region(region) && region.contains('-') && partition_begins(region, begins)
            }
            [] | [_, _, ..] => false,
        };
        PARTITIONS.iter().any(|(_, begins, domains)| {
            domains.iter().any(|domain| {
                let before = self.host.strip_suffix(domain).and_then(|before| before.strip_suffix('.'));
                before.is_some_and(|before| is_place(&before.split('.').collect::<Vec<_>>(), begins))
            })
        })
    }
}

fn partition_begins(region: &str, begins: &[&str]) -> bool {
    begins.iter().any(|begin| region.starts_with(begin))
}

/// `https://localhost:4566`: scheme, host and port, as it is agreed to.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tls { "https://" } else { "http://" })?;
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if self.port == Self::usual_port(self.is_tls) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(url).unwrap_or_else(|| panic!("{url}"))
    }

    #[test]
    fn aws_endpoints_are_told_from_those_of_its_customers() {
        for (service, url) in [
            ("s3", "https://s3.us-east-1.amazonaws.com"),
            ("s3", "HTTPS://S3.us-east-1.AMAZONAWS.com:443/"),
            ("s3", "https://s3.amazonaws.com"),
            ("s3", "https://s3.dualstack.eu-west-1.amazonaws.com"),
            ("s3", "https://s3-fips.us-gov-west-1.amazonaws.com"),
            ("s3", "https://s3-fips.dualstack.us-east-1.amazonaws.com./"),
            ("s3", "https://s3.cn-north-1.amazonaws.com.cn"),
            ("s3", "https://s3.us-iso-east-1.c2s.ic.gov"),
            ("s3", "https://s3.eusc-de-east-1.amazonaws.eu"),
            ("dynamodb", "https://dynamodb.eu-central-1.amazonaws.com"),
            ("dynamodb", "https://dynamodb.eu-central-1.api.aws"),
            ("sts", "https://sts.amazonaws.com"),
            ("sts", "https://sts.cn-northwest-1.amazonaws.com.cn"),
        ] {
            assert!(endpoint(url).is_amazons(service), "{url}");
        }
        for (service, url) in [
            ("s3", "http://s3.us-east-1.amazonaws.com"),
            ("s3", "https://s3.us-east-1.amazonaws.com:8443"),
            ("s3", "https://dynamodb.us-east-1.amazonaws.com"),
            ("s3", "https://mine.s3.us-east-1.amazonaws.com"),
            ("s3", "https://s3.s3.us-east-1.amazonaws.com"),
            ("s3", "https://s3.elb.us-east-1.amazonaws.com"),
            ("s3", "https://s3.mine.amazonaws.com"),
            ("s3", "https://x.execute-api.us-east-1.amazonaws.com"),
            ("s3", "https://ec2-1-2-3-4.compute-1.amazonaws.com"),
            ("s3", "https://bucket.vpce-1-2.s3.us-east-1.vpce.amazonaws.com"),
            ("s3", "https://s3.us-east-1.amazonaws.com.evil.example"),
            ("s3", "https://s3.us-east-1.evilamazonaws.com"),
            ("s3", "https://amazonaws.com"),
            ("s3", "https://s3.us-east-1.amazonaws.com.cn"),
            ("s3", "https://s3.amazonaws.com.cn"),
            ("s3", "https://s3.us-east-1.c2s.ic.gov"),
            ("s3", "https://127.0.0.1"),
        ] {
            assert!(!endpoint(url).is_amazons(service), "{url}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for url in [
            "http://localhost:4566",
            "http://127.0.0.1",
            "http://127.9.9.9:1/x",
            "http://[::1]:4566",
            "http://LOCALHOST.",
        ] {
            assert!(endpoint(url).is_loopback(), "{url}");
        }
        for url in [
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.1",
            "http://0.0.0.0",
            "http://2130706433",
            "http://[::ffff:127.0.0.1]",
            "http://169.254.169.254",
            "http://10.0.0.1",
        ] {
            assert!(!endpoint(url).is_loopback(), "{url}");
        }
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_no_endpoint() {
        for url in [
            "",
            "localhost:4566",
            "ftp://x",
            "https://",
            "https:///path",
            "https://user@host",
            "https://s3.us-east-1.amazonaws.com@evil.example",
            "https://evil.example\\@s3.us-east-1.amazonaws.com",
            "https://evil.example/\\x",
            "https://evil.example#\n@x",
            "https://a b",
            "https://a..b",
            "https://a%2eb",
            "https://bücher.example",
            "https://a:",
            "https://a:+1",
            "https://a:99999",
            "https://[::1",
            "https://[x]",
            "https://[::1]x",
            " https://a",
        ] {
            assert_eq!(Endpoint::parse(url), None, "{url}");
        }
    }

    #[test]
    fn each_region_is_in_its_partition() {
        for (region, name) in [
            ("us-east-1", "aws"),
            ("eu-west-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition(region), name, "{region}");
        }
        for text in ["us-east-1/../x", "evil.example", "", "-", "us-east-1\n", "US", "x@y"] {
            assert!(!is_region(text), "{text}");
        }
    }

    proptest! {
        /// However the text is made: what is taken for an endpoint is shown as one that is the same again, and its host
        /// is where the URL says.
        #[test]
        fn an_endpoint_is_what_it_is_shown_as(url in "(http|https|HTTPS)://[a-z0-9.@:/\\\\\\[\\]#?-]{0,40}") {
            if let Some(found) = Endpoint::parse(&url) {
                prop_assert_eq!(Endpoint::parse(&found.to_string()), Some(found.clone()));
                prop_assert!(!url.contains('@') || url.find(['/', '?', '#']).is_some());
                prop_assert!(url.contains(found.host()) || found.host().contains(':'), "{} of {}", found.host(), url);
            }
        }
    }
}
