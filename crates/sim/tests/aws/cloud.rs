//! An account to call by short words, and a network to start from.

use std::time::Duration;

use aloka_core::api::{Call, Ec2, Operation, Rds, Reply, Request, Sts};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_sim::aws::{Account, Durations, Options};
use serde_json::{Value as Json, json};

/// The image the tests launch.
pub(crate) const AMI: &str = "ami-0d27e0fb3bac4d724";
/// Well formed, and of no object.
pub(crate) const NOWHERE: &str = "0123456789abcdef0";

/// An account, its clock and a password.
#[derive(Clone)]
pub(crate) struct Cloud {
    pub(crate) account: Account,
    pub(crate) now: Instant,
    pub(crate) secrets: Secrets,
}

/// The request for `operation` with these arguments; `{"$secret": NAME}` stands for a secret.
pub(crate) fn request(operation: impl Into<Operation>, arguments: &Json) -> Request {
    let operation = operation.into();
    let arguments = arguments.as_object().expect("arguments are an object");
    let args = arguments.iter().map(|(name, value)| {
        let parameter = operation.parameters().iter().find(|parameter| parameter.name == name);
        let parameter = parameter.unwrap_or_else(|| panic!("{operation} has no parameter {name}"));
        (parameter.name, serde_json::from_value::<Value>(value.clone()).expect("a value"))
    });
    Request(Call::new(operation, args))
}

impl Cloud {
    pub(crate) fn new(options: Options) -> Self {
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new("correct-horse"));
        Self { account: Account::new(options), now: Instant::ZERO, secrets }
    }

    /// An account in which everything is done at once.
    pub(crate) fn instant() -> Self {
        Self::new(Options { durations: Durations::Instant, ..Options::default() })
    }

    /// An account in which everything takes as long as usual.
    pub(crate) fn median() -> Self {
        Self::new(Options::default())
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    pub(crate) fn send(&mut self, operation: impl Into<Operation>, arguments: &Json) -> Reply {
        let operation = operation.into();
        self.account.call(self.now, &request(operation, arguments), &self.secrets)
    }

    /// The answer to a call that must succeed.
    pub(crate) fn ok(&mut self, operation: impl Into<Operation>, arguments: Json) -> Value {
        let operation = operation.into();
        self.send(operation, &arguments).unwrap_or_else(|error| panic!("{operation} {arguments}: {error}"))
    }

    /// The text at `path` of the answer to a call that must succeed.
    pub(crate) fn text(&mut self, operation: impl Into<Operation>, arguments: Json, path: &str) -> String {
        let operation = operation.into();
        let reply = self.ok(operation, arguments.clone());
        let text = reply.at(path).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("{operation} {arguments}: no {path} in {reply}")).to_owned()
    }

    /// The account as it is saved, but for how often a replica, and what a change knows of, was drawn.
    fn saved(&self) -> Json {
        let mut account = serde_json::to_value(&self.account).expect("an account");
        let ordinals = account["ordinals"].as_object_mut().expect("ordinals");
        ordinals.remove("replica");
        ordinals.remove("change");
        account
    }

    /// The code of the refusal, or `ok`.
    ///
    /// # Panics
    /// If a refused call changed the account.
    pub(crate) fn code(&mut self, operation: impl Into<Operation>, arguments: &Json) -> String {
        let operation = operation.into();
        // What is gone by now is removed at the next call, whatever it is.
        self.ok(Sts::GetCallerIdentity, json!({}));
        let before = self.saved();
        match self.send(operation, arguments) {
            Ok(_) => "ok".to_owned(),
            Err(error) => {
                let after = self.saved();
                assert_eq!(before, after, "{operation} {arguments}: refused ({error}), yet the account changed");
                assert!(!error.message.is_empty(), "{operation} {arguments}: {error:?}");
                error.code
            }
        }
    }

    /// Runs each row on a copy of the account.
    pub(crate) fn table(&self, rows: &[(impl Into<Operation> + Copy, Json, &str)]) {
        for (operation, arguments, expected) in rows {
            let operation = (*operation).into();
            let code = self.clone().code(operation, arguments);
            assert_eq!(code, *expected, "{operation} {arguments}");
        }
    }

    pub(crate) fn vpc(&mut self, cidr: &str) -> String {
        self.text(Ec2::CreateVpc, json!({"CidrBlock": cidr, "Tags": {}}), "Vpc.VpcId")
    }

    pub(crate) fn subnet(&mut self, vpc: &str, cidr: &str, zone: &str) -> String {
        let arguments = json!({"VpcId": vpc, "CidrBlock": cidr, "AvailabilityZone": zone, "Tags": {}});
        self.text(Ec2::CreateSubnet, arguments, "Subnet.SubnetId")
    }

    pub(crate) fn gateway(&mut self, vpc: &str) -> String {
        let id = self.text(Ec2::CreateInternetGateway, json!({"Tags": {}}), "InternetGateway.InternetGatewayId");
        self.ok(Ec2::AttachInternetGateway, json!({"InternetGatewayId": id, "VpcId": vpc}));
        id
    }

    pub(crate) fn address(&mut self) -> String {
        self.text(Ec2::AllocateAddress, json!({"Domain": "vpc", "Tags": {}}), "AllocationId")
    }

    pub(crate) fn nat(&mut self, subnet: &str, address: &str, token: &str) -> String {
        let arguments = json!({"SubnetId": subnet, "AllocationId": address, "ClientToken": token, "Tags": {}});
        self.text(Ec2::CreateNatGateway, arguments, "NatGateway.NatGatewayId")
    }

    pub(crate) fn route_table(&mut self, vpc: &str, token: &str) -> String {
        let arguments = json!({"VpcId": vpc, "ClientToken": token, "Tags": {}});
        self.text(Ec2::CreateRouteTable, arguments, "RouteTable.RouteTableId")
    }

    pub(crate) fn group(&mut self, vpc: &str, name: &str) -> String {
        let arguments = json!({"GroupName": name, "Description": "test", "VpcId": vpc, "Tags": {}});
        self.text(Ec2::CreateSecurityGroup, arguments, "GroupId")
    }

    pub(crate) fn instance(&mut self, subnet: &str, group: &str, token: &str) -> String {
        self.text(Ec2::RunInstances, launch(subnet, group, token), "Instances.0.InstanceId")
    }

    /// The only item of a list in the answer to a Describe call for one identifier.
    pub(crate) fn described(
        &mut self,
        operation: impl Into<Operation>,
        parameter: &str,
        id: &str,
        list: &str,
    ) -> Value {
        let operation = operation.into();
        let reply = self.ok(operation, json!({parameter: [id]}));
        reply.at(&format!("{list}.0")).unwrap_or_else(|| panic!("{operation} {id}: {reply}")).clone()
    }

    pub(crate) fn described_instance(&mut self, id: &str) -> Value {
        self.described(Ec2::DescribeInstances, "InstanceIds", id, "Instances")
    }

    pub(crate) fn described_nat(&mut self, id: &str) -> Value {
        self.described(Ec2::DescribeNatGateways, "NatGatewayIds", id, "NatGateways")
    }

    pub(crate) fn described_db(&mut self, name: &str) -> Value {
        let reply = self.ok(Rds::DescribeDBInstances, json!({"DBInstanceIdentifier": name}));
        reply.at("DBInstances.0").expect("one instance").clone()
    }
}

/// The arguments of a launch as the stack makes it.
pub(crate) fn launch(subnet: &str, group: &str, token: &str) -> Json {
    json!({
        "ImageId": AMI, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, "ClientToken": token,
        "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group],
            "AssociatePublicIpAddress": true, "DeleteOnTermination": true}],
        "Tags": {"Name": "app"},
    })
}

/// The arguments of a database instance as the stack makes it.
pub(crate) fn database(name: &str, subnet_group: &str, group: &str) -> Json {
    json!({
        "DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.micro", "Engine": "postgres", "EngineVersion": "15.14",
        "AllocatedStorage": 20, "StorageType": "gp3", "DBName": "app", "MasterUsername": "app",
        "MasterUserPassword": {"$secret": DB_PASSWORD}, "DBSubnetGroupName": subnet_group,
        "VpcSecurityGroupIds": [group], "PubliclyAccessible": false, "BackupRetentionPeriod": 7, "Tags": {},
    })
}

/// `base` with other or more arguments; null removes one.
pub(crate) fn with(mut base: Json, changes: Json) -> Json {
    let map = base.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Json::Null => drop(map.remove(name)),
            value => drop(map.insert(name.clone(), value.clone())),
        }
    }
    base
}

/// A network with a public and a private subnet in each of two zones, and a gateway.
pub(crate) struct Network {
    pub(crate) vpc: String,
    pub(crate) public: [String; 2],
    pub(crate) private: [String; 2],
    pub(crate) gateway: String,
    pub(crate) group: String,
}

impl Network {
    pub(crate) fn new(cloud: &mut Cloud) -> Self {
        let vpc = cloud.vpc("10.0.0.0/16");
        let gateway = cloud.gateway(&vpc);
        let public = [("10.0.1.0/24", "us-east-1a"), ("10.0.2.0/24", "us-east-1b")];
        let private = [("10.0.11.0/24", "us-east-1a"), ("10.0.12.0/24", "us-east-1b")];
        Self {
            public: public.map(|(cidr, zone)| cloud.subnet(&vpc, cidr, zone)),
            private: private.map(|(cidr, zone)| cloud.subnet(&vpc, cidr, zone)),
            group: cloud.group(&vpc, "app"),
            gateway,
            vpc,
        }
    }

    /// A database subnet group of the private subnets.
    pub(crate) fn subnet_group(&self, cloud: &mut Cloud, name: &str) {
        let arguments = json!({"DBSubnetGroupName": name, "DBSubnetGroupDescription": "test",
            "SubnetIds": self.private, "Tags": {}});
        cloud.ok(Operation::Rds(Rds::CreateDBSubnetGroup), arguments);
    }
}
