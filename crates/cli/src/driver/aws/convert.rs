//! EC2's tags, filters and permissions: from arguments to SDK types, and back for replies.

use aloka_core::api::ApiError;
use aloka_core::value::Value;
use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, Tag, TagSpecification, UserIdGroupPair,
};

use super::input::Input;
use super::reply::{list, object, text};

/// `Tags` as EC2's tags.
pub(super) fn ec2_tags(input: &Input<'_>) -> Result<Option<Vec<Tag>>, ApiError> {
    let tags = input.text_map("Tags")?;
    Ok(tags.map(|tags| tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()))
}

/// `Tags`, to be put on what the call creates: on each of these types of resource. `None` without any tag, as EC2
/// refuses a specification that is empty.
pub(super) fn tag_specifications(
    input: &Input<'_>,
    types: &[ResourceType],
) -> Result<Option<Vec<TagSpecification>>, ApiError> {
    let tags = ec2_tags(input)?.filter(|tags| !tags.is_empty());
    Ok(tags.map(|tags| {
        let specification = |of: &ResourceType| {
            TagSpecification::builder().resource_type(of.clone()).set_tags(Some(tags.clone())).build()
        };
        types.iter().map(specification).collect()
    }))
}

/// `Filters` as EC2's filters.
pub(super) fn filters(input: &Input<'_>) -> Result<Option<Vec<Filter>>, ApiError> {
    let filters = input.texts_map("Filters")?;
    let filter = |(name, values)| Filter::builder().name(name).set_values(Some(values)).build();
    Ok(filters.map(|filters| filters.into_iter().map(filter).collect()))
}

/// EC2's tags as a map. There is always one, if only an empty one.
pub(super) fn tag_map(tags: &[Tag]) -> Value {
    Value::map(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

const PERMISSION: &[&str] =
    &["IpProtocol", "FromPort", "ToPort", "IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"];

/// `IpPermissions` as EC2's permissions.
pub(super) fn permissions(input: &Input<'_>) -> Result<Option<Vec<IpPermission>>, ApiError> {
    input.objects("IpPermissions", PERMISSION, |input| {
        let ip_ranges = input.objects("IpRanges", &["CidrIp", "Description"], |input| {
            let range = IpRange::builder().set_cidr_ip(input.text("CidrIp")?);
            Ok(range.set_description(input.text("Description")?).build())
        });
        let ipv6_ranges = input.objects("Ipv6Ranges", &["CidrIpv6", "Description"], |input| {
            let range = Ipv6Range::builder().set_cidr_ipv6(input.text("CidrIpv6")?);
            Ok(range.set_description(input.text("Description")?).build())
        });
        let groups = input.objects("UserIdGroupPairs", &["GroupId", "Description"], |input| {
            let group = UserIdGroupPair::builder().set_group_id(input.text("GroupId")?);
            Ok(group.set_description(input.text("Description")?).build())
        });
        let prefix_lists = input.objects("PrefixListIds", &["PrefixListId", "Description"], |input| {
            let prefixes = PrefixListId::builder().set_prefix_list_id(input.text("PrefixListId")?);
            Ok(prefixes.set_description(input.text("Description")?).build())
        });
        Ok(IpPermission::builder()
            .set_ip_protocol(input.text("IpProtocol")?)
            .set_from_port(input.number("FromPort")?)
            .set_to_port(input.number("ToPort")?)
            .set_ip_ranges(ip_ranges?)
            .set_ipv6_ranges(ipv6_ranges?)
            .set_user_id_group_pairs(groups?)
            .set_prefix_list_ids(prefix_lists?)
            .build())
    })
}

/// A permission as a reply has it.
pub(super) fn permission(permission: &IpPermission) -> Value {
    object([
        ("IpProtocol", text(permission.ip_protocol())),
        ("FromPort", permission.from_port().into()),
        ("ToPort", permission.to_port().into()),
        (
            "IpRanges",
            list(permission.ip_ranges(), |range| {
                object([("CidrIp", text(range.cidr_ip())), ("Description", text(range.description()))])
            }),
        ),
        (
            "Ipv6Ranges",
            list(permission.ipv6_ranges(), |range| {
                object([("CidrIpv6", text(range.cidr_ipv6())), ("Description", text(range.description()))])
            }),
        ),
        (
            "UserIdGroupPairs",
            list(permission.user_id_group_pairs(), |group| {
                object([("GroupId", text(group.group_id())), ("Description", text(group.description()))])
            }),
        ),
        (
            "PrefixListIds",
            list(permission.prefix_list_ids(), |prefixes| {
                object([
                    ("PrefixListId", text(prefixes.prefix_list_id())),
                    ("Description", text(prefixes.description())),
                ])
            }),
        ),
    ])
}
