//! The rules of the account in one table: those of each kind, and those that every call can meet.

use super::{ec2, rds};
use crate::rules::{Rule, access, capacity, catalog, identifier, request, token};

/// Every rule, by area and in the order of the table.
pub fn all_rules() -> impl Iterator<Item = &'static Rule> {
    let areas: &[&'static [&'static Rule]] = &[
        request::ALL,
        identifier::ALL,
        access::ALL,
        token::ALL,
        capacity::ALL,
        ec2::tags::rules::ALL,
        ec2::filter::rules::ALL,
        ec2::vpc::rules::ALL,
        ec2::subnet::rules::ALL,
        ec2::internet_gateway::rules::ALL,
        ec2::eip::rules::ALL,
        ec2::nat_gateway::rules::ALL,
        ec2::route_table::rules::ALL,
        ec2::vpc_endpoint::rules::ALL,
        ec2::network_interface::rules::ALL,
        ec2::security_group::rules::ALL,
        ec2::permission::rules::ALL,
        ec2::launch::rules::ALL,
        ec2::instance::rules::ALL,
        ec2::volume::rules::ALL,
        catalog::ALL,
        rds::db_subnet_group::rules::ALL,
        rds::db_instance::rules::ALL,
        rds::db_snapshot::rules::ALL,
        rds::db_tags::rules::ALL,
    ];
    areas.iter().flat_map(|area| area.iter().copied())
}

/// The rule with this name.
pub fn find_rule(id: &str) -> Option<&'static Rule> {
    all_rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_of_one_form() {
        let mut seen = BTreeSet::new();
        for rule in all_rules() {
            assert!(seen.insert(rule.id), "{} stands in the table twice", rule.id);
            let form = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
            };
            let (area, name) = rule.id.split_once('.').expect("an area and a name");
            assert!(form(area) && form(name), "{}", rule.id);
        }
    }
}
