//! How rules are written down.

/// A table of rules: for each a name for the code, then
/// `"id" Nature [Operations] "Code" status "message" "what holds" [Sources];`
/// where rules that do not refuse leave out code, status and message, and the status may be left out if it is 400.
macro_rules! rules {
    ($($name:ident: $id:literal $nature:ident [$($service:ident::$operation:ident),* $(,)?] $($code:literal $($status:literal)? => $message:literal)? ; $says:literal; [$($source:ident),+ $(,)?];)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $says)]
            pub(crate) static $name: $crate::rules::Rule = $crate::rules::Rule {
                id: $id,
                nature: $crate::rules::Nature::$nature,
                operations: &[$(aloka_core::api::Operation::$service(aloka_core::api::$service::$operation)),*],
                code: concat!($($code)?),
                status: $crate::rules::macros::status(&[$($($status)?)?]),
                message: concat!($($message)?),
                says: $says,
                sources: &[$($crate::rules::Source::$source),+],
            };
            // A refusal has a code and words, and nothing else has.
            const _: () = assert!(
                $crate::rules::Nature::$nature.refuses() == !concat!($($code)?).is_empty()
                    && concat!($($code)?).is_empty() == concat!($($message)?).is_empty()
                    && !$says.is_empty(),
                $id,
            );
        )*

        /// The rules of this area, in order.
        pub(crate) const ALL: &[&$crate::rules::Rule] = &[$(&$name),*];
    };
}

pub(crate) use rules;

/// The status given, or 400.
pub(crate) const fn status(given: &[u16]) -> u16 {
    if given.is_empty() { 400 } else { given[0] }
}
