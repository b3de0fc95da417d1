//! Settings of the database that its owner may have made by other means: the AWS console, Terraform, a variable of before.
//!
//! Each has a variable. One that is set decides. One that is not set leaves the setting as it is recorded or observed, also
//! on a database that takes the place of this one; aloka's own default is for a database that was never there.

use crate::intern;
use crate::resource::{
    BACKUP_RETENTION, DELETE_AUTOMATED_BACKUPS, DELETION_PROTECTION, FINAL_SNAPSHOT_IDENTIFIER, LOGS_EXPORTS,
    MAX_ALLOCATED_STORAGE, SKIP_FINAL_SNAPSHOT,
};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// Storage of a new database, GiB.
const STORAGE_GIB: u32 = 20;
/// Logs that a new database sends to CloudWatch: the two that RDS writes by default.
const LOGS: [&str; 2] = ["postgresql", "upgrade"];

/// A setting of the database.
pub struct Setting {
    /// Its attribute, as in Terraform.
    pub attribute: &'static str,
    /// The variable that sets it.
    pub variable: &'static str,
    set: fn(&Variables) -> Option<Value>,
    default: fn() -> Value,
}

/// Every setting that is the owner's, in the order of their attributes.
pub const SETTINGS: [Setting; 10] = [
    Setting {
        attribute: "allocated_storage",
        variable: "db_allocated_storage",
        set: |variables| variables.db_allocated_storage.map(Value::from),
        default: || STORAGE_GIB.into(),
    },
    Setting {
        attribute: BACKUP_RETENTION,
        variable: "db_backup_retention_days",
        set: |variables| variables.db_backup_retention_days.map(Value::from),
        default: || 0.into(),
    },
    Setting {
        attribute: "copy_tags_to_snapshot",
        variable: "db_copy_tags_to_snapshot",
        set: |variables| variables.db_copy_tags_to_snapshot.map(Value::from),
        default: || true.into(),
    },
    Setting {
        attribute: DELETE_AUTOMATED_BACKUPS,
        variable: "db_delete_automated_backups",
        set: |variables| variables.db_delete_automated_backups.map(Value::from),
        default: || true.into(),
    },
    Setting {
        attribute: DELETION_PROTECTION,
        variable: "db_deletion_protection",
        set: |variables| variables.db_deletion_protection.map(Value::from),
        default: || false.into(),
    },
    Setting {
        attribute: LOGS_EXPORTS,
        variable: "db_enabled_cloudwatch_logs_exports",
        set: |variables| variables.db_enabled_cloudwatch_logs_exports.as_ref().map(Value::list),
        default: || Value::list(LOGS),
    },
    Setting {
        attribute: FINAL_SNAPSHOT_IDENTIFIER,
        variable: "db_final_snapshot_identifier",
        set: |variables| variables.db_final_snapshot_identifier.as_ref().map(Value::from),
        default: || Value::Null,
    },
    Setting {
        attribute: MAX_ALLOCATED_STORAGE,
        variable: "db_max_allocated_storage",
        set: |variables| variables.db_max_allocated_storage.map(Value::from),
        default: || 0.into(),
    },
    Setting {
        attribute: "multi_az",
        variable: "db_multi_az",
        set: |variables| variables.db_multi_az.map(Value::from),
        default: || false.into(),
    },
    Setting {
        attribute: SKIP_FINAL_SNAPSHOT,
        variable: "db_skip_final_snapshot",
        set: |variables| variables.skips_final_snapshot().map(Value::from),
        default: || true.into(),
    },
];

impl Setting {
    /// The setting of this attribute.
    pub fn of(attribute: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.attribute == attribute)
    }

    /// What the variables set; `None` if they leave it to the owner.
    pub fn set(&self, variables: &Variables) -> Option<Value> {
        (self.set)(variables)
    }

    /// What it is for a database that was never there, if no variable says otherwise.
    pub fn default(&self) -> Value {
        (self.default)()
    }

    /// What it is to be: as the variables say, or else as `present` has it, or else as for a new database.
    pub fn wanted(&self, variables: &Variables, present: &ValueMap) -> Value {
        self.set(variables).or_else(|| self.present(present).cloned()).unwrap_or_else(|| self.default())
    }

    /// The value that `attributes` have, if it can be one: a state may hold anything.
    fn present<'a>(&self, attributes: &'a ValueMap) -> Option<&'a Value> {
        attributes.get(self.attribute).filter(|value| match (self.default(), value) {
            (Value::Bool(_), Value::Bool(_)) | (Value::Null, Value::Str(_)) => true,
            (Value::Number(_), Value::Number(_)) => value.as_i64().is_some_and(|number| number >= 0),
            (Value::List(_), Value::List(items)) => items.iter().all(|item| item.as_str().is_some()),
            (
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Str(_)
                | Value::List(_)
                | Value::Map(_)
                | Value::Ref(..)
                | Value::Secret(_),
                _,
            ) => false,
        })
    }
}

/// Settings that the variables leave to the owner.
pub fn left_to_owner(variables: &Variables) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.set(variables).is_none())
}

/// What the owner has made of these settings, where a new database would have something else.
pub fn of_owner(variables: &Variables, present: &ValueMap) -> ValueMap {
    let settings = left_to_owner(variables).filter_map(|setting| {
        let value = setting.present(present).filter(|value| **value != setting.default())?;
        Some((intern::key(setting.attribute), value.clone()))
    });
    settings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::variables::{Needs, Source, definitions, evaluate};

    fn variables(contents: &str) -> Variables {
        let source = Source::File { path: "terraform.tfvars".to_owned(), contents: contents.to_owned() };
        evaluate(&[source], Needs { password: false }).expect("valid").variables
    }

    #[test]
    fn every_setting_has_an_attribute_and_a_variable_that_leaves_it_to_the_owner() {
        assert!(SETTINGS.is_sorted_by_key(|setting| setting.attribute));
        for setting in &SETTINGS {
            assert!(Kind::DbInstance.attribute(setting.attribute).is_some(), "{}", setting.attribute);
            let definition = definitions().iter().find(|definition| definition.name == setting.variable);
            let definition = definition.unwrap_or_else(|| panic!("no {}", setting.variable));
            assert_eq!(definition.default, Some("null"), "{}", setting.variable);
        }
        assert_eq!(left_to_owner(&variables("")).count(), SETTINGS.len());
    }

    #[test]
    fn what_is_set_decides_then_what_is_there_then_the_default() {
        let setting = Setting::of(BACKUP_RETENTION).expect("known");
        let present = ValueMap::from([(intern::key(BACKUP_RETENTION), 7.into())]);
        let none = ValueMap::new();
        for (contents, present, wanted) in [
            ("", &none, 0),
            ("", &present, 7),
            ("db_backup_retention_days = null\n", &present, 7),
            ("db_backup_retention_days = 0\n", &present, 0),
            ("db_backup_retention_days = 9\n", &none, 9),
        ] {
            assert_eq!(setting.wanted(&variables(contents), present), Value::from(wanted), "{contents}");
        }
    }

    #[test]
    fn what_cannot_be_a_value_of_a_setting_is_not_taken_for_one() {
        for setting in &SETTINGS {
            for value in [Value::Null, Value::map([("a", 1)]), (-1).into(), Value::List(vec![1.into()])] {
                let present = ValueMap::from([(intern::key(setting.attribute), value)]);
                assert_eq!(of_owner(&variables(""), &present), ValueMap::new(), "{}", setting.attribute);
            }
        }
    }

    #[test]
    fn only_what_differs_from_a_new_database_is_the_owners() {
        let attributes = SETTINGS.iter().map(|setting| (intern::key(setting.attribute), setting.default()));
        let mut attributes: ValueMap = attributes.collect();
        assert_eq!(of_owner(&variables(""), &attributes), ValueMap::new());
        attributes.insert(intern::key("multi_az"), true.into());
        assert_eq!(of_owner(&variables(""), &attributes), ValueMap::from([(intern::key("multi_az"), true.into())]));
        assert_eq!(of_owner(&variables("db_multi_az = true\n"), &attributes), ValueMap::new());
    }
}
