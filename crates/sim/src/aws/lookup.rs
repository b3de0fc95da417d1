//! Questions about the account and the Region, not about objects in it.

use aloka_core::api::Request;
use aloka_core::value::Value;

use crate::aws::ec2::filter::Filters;
use crate::aws::error::Answer;
use crate::aws::error::IdFormat;
use crate::aws::record::{Tags, Text, object};
use crate::aws::{Account, catalog};
use crate::rules::{Refusal, catalog as rule};

impl Account {
    /// Publishes new releases of all images, as AWS does every few weeks: parameters point to the new ones, the old
    /// ones stay.
    pub fn release_images(&mut self) {
        self.image_releases += 1;
    }

    pub(crate) fn get_caller_identity(&self) -> Answer {
        let account = &self.options.account_id;
        Ok(object([
            ("Account", account.into()),
            ("Arn", self.principal().into()),
            ("UserId", "AIDASIMULATEDACCOUNT0".into()),
        ]))
    }

    pub(crate) fn get_parameter(&self, request: &Request) -> Answer {
        let name = request.text("Name");
        let alias = name.strip_prefix(catalog::IMAGE_PARAMETERS);
        let image = alias.and_then(|alias| catalog::image(&self.options.region, alias, self.image_releases));
        let image = image.ok_or_else(|| rule::PARAMETER.refuse([&name]))?;
        Ok(object([("Name", name.into()), ("Value", image.id.into())]))
    }

    pub(crate) fn describe_availability_zones(&self, request: &Request) -> Answer {
        let region = &self.options.region;
        let known = ["zone-name", "zone-id", "state", "zone-type", "opt-in-status", "region-name", "group-name"];
        let filters = Filters::untagged(request, &known)?;
        let passes = |zone: &catalog::Zone| {
            filters.pass(&Tags::new(), |filter| {
                vec![match filter {
                    "zone-name" => zone.name.as_str().into(),
                    "zone-id" => zone.id.as_str().into(),
                    "state" => "available".into(),
                    "zone-type" => zone.kind.into(),
                    "opt-in-status" => zone.opt_in.into(),
                    "group-name" => zone.group.as_str().into(),
                    _ => region.as_str().into(),
                }]
            })
        };
        let zones = catalog::listed_zones(region, self.options.local_zones).into_iter().filter(passes).map(|zone| {
            object([
                ("ZoneName", zone.name.into()),
                ("ZoneId", zone.id.into()),
                ("State", "available".into()),
                ("ZoneType", zone.kind.into()),
                ("OptInStatus", zone.opt_in.into()),
            ])
        });
        Ok(object([("AvailabilityZones", Value::List(zones.collect()))]))
    }

    pub(crate) fn describe_instance_type_offerings(&self, request: &Request) -> Answer {
        let location = request.text("LocationType");
        match location {
            "availability-zone" => {}
            "region" | "availability-zone-id" | "outpost" => return Err(rule::BY_ZONE.refuse([&location])),
            _ => return Err(rule::LOCATION.refuse([&location])),
        }
        let filters = Filters::untagged(request, &["instance-type", "location"])?;
        let zones = catalog::zones(&self.options.region);
        let mut offerings = Vec::new();
        for name in catalog::instance_types() {
            let Some(known) = catalog::instance_type(&name) else { continue };
            for zone in zones.iter().filter(|zone| known.is_offered(zone)) {
                let value =
                    |filter: &str| vec![Text::from(if filter == "location" { zone.as_str() } else { name.as_str() })];
                if filters.pass(&Tags::new(), value) {
                    offerings.push(object([("InstanceType", (&name).into()), ("Location", zone.into())]));
                }
            }
        }
        Ok(object([("InstanceTypeOfferings", Value::List(offerings))]))
    }

    /// The image called `id`, of the Region, of whichever release.
    pub(crate) fn image(&self, id: &str) -> Result<catalog::Image, Refusal> {
        IdFormat::IMAGE.check(id)?;
        let found = catalog::images(&self.options.region, self.image_releases).find(|image| image.id == id);
        found.ok_or_else(|| IdFormat::IMAGE.missing(id))
    }

    pub(crate) fn describe_images(&self, request: &Request) -> Answer {
        let ids = request.texts("ImageIds");
        if ids.is_empty() {
            return Err(rule::IMAGES_NAMED.refuse([]));
        }
        let images = ids.into_iter().map(|id| {
            let image = self.image(&id)?;
            Ok(object([
                ("Architecture", image.architecture.into()),
                ("ImageId", image.id.into()),
                ("Name", image.name.into()),
                ("RootDeviceName", catalog::ROOT_DEVICE.into()),
                ("RootVolumeSize", image.root_size.into()),
                ("State", "available".into()),
            ]))
        });
        Ok(object([("Images", Value::List(images.collect::<Result<_, _>>()?))]))
    }
}
