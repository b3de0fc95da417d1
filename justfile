# Recipes of the project; `just` lists them. Install: pip install rust-just, or cargo install just.

target := env('CARGO_TARGET_DIR', justfile_directory() / 'target')

# list the recipes
default:
    @just --list --unsorted

# formatting, lints, documentation: everything a reviewer should not have to say
check:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked -p aloka --no-default-features -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# licences, bans and known vulnerabilities of the dependencies (needs Python >= 3.12, see localstack/README.md)
deny:
    localstack/emulator python .ci/deny

# unit, property and rehearsal tests; no network, no emulator
test:
    cargo test --locked --workspace

# fuzz the parsers for some seconds each, or one of them: just fuzz 60 state
fuzz SECONDS='10' *TARGETS:
    fuzz/run {{ SECONDS }} {{ TARGETS }}

# create, re-plan, change and destroy on the simulated AWS; no account, no emulator
simulate *ARGS:
    cargo run --locked -p aloka --no-default-features -- simulate {{ ARGS }}

# the real binary against LocalStack, and the scenarios on LocalStack and moto (needs Python >= 3.12, see localstack/README.md)
test-local *ARGS: && test-state conformance
    cargo build --locked -p aloka --all-targets
    ALOKA_BIN='{{ target }}/debug/aloka' localstack/emulator run -- tests/localstack/run {{ ARGS }}

# the scenarios of the simulator through the AWS driver, on LocalStack and on moto
conformance *TEXT:
    cargo build --locked -p aloka --all-targets
    ALOKA_CONFORMANCE='{{ target }}/debug/examples/conformance' localstack/emulator run -- tests/localstack/conformance localstack {{ TEXT }}
    ALOKA_CONFORMANCE='{{ target }}/debug/examples/conformance' localstack/emulator --moto run -- tests/localstack/conformance moto {{ TEXT }}

# the real Terraform and the real binary on one state on LocalStack
beside *ARGS:
    cargo build --locked -p aloka
    ALOKA_BIN='{{ target }}/debug/aloka' localstack/emulator run -- tests/localstack/beside {{ ARGS }}

# the state in S3: contract of the backends, the real binary, and Terraform beside it if it is in PATH, on LocalStack
test-state *ARGS:
    cargo build --locked -p aloka --all-targets
    ALOKA_BIN='{{ target }}/debug/aloka' localstack/emulator run -- tests/localstack/state {{ ARGS }}

# settings that are broken, credentials that are missing, locks of others, outages and strangers: the real binary on LocalStack
test-driver *ARGS:
    cargo build --locked -p aloka
    ALOKA_BIN='{{ target }}/debug/aloka' localstack/emulator run -- tests/localstack/driver {{ ARGS }}

# kills, faults and re-runs of the real binary on LocalStack; prints the seed
torture *ARGS:
    cargo build --locked -p aloka
    ALOKA_BIN='{{ target }}/debug/aloka' localstack/emulator run -- tests/localstack/torture {{ ARGS }}

# the tests of test-local against LocalStack in a container, and one that is cut off (needs a Docker engine)
test-container: && test-cut
    localstack/image
    cargo build --locked -p aloka
    ALOKA_BIN='{{ target }}/debug/aloka' cargo test -p aloka-tests --features containers --test container -- --nocapture

# the network goes away in the middle of a run, and comes back (needs a Docker engine on Linux)
test-cut *ARGS:
    cargo build --locked -p aloka
    ALOKA_BIN='{{ target }}/debug/aloka' localstack/emulator --container run -- tests/localstack/cut {{ ARGS }}

# random stories of a stack on the simulated AWS, judged and shrunk: --minutes N, or --seed N to play one (docs/TESTING.md)
swarm *ARGS:
    cargo run --locked -q --profile swarm -p aloka-tests --example swarm -- {{ ARGS }}

# what this tree does beside what COMMIT does, byte for byte: plans, states, accounts, traces, JSON of whole lives on the simulated AWS
same-as COMMIT *ARGS:
    tests/same-as {{ COMMIT }} {{ ARGS }}

# time, API calls and memory of aloka and Terraform on LocalStack, as a Markdown table
compare *ARGS:
    cargo build --locked --release -p aloka
    ALOKA_BIN='{{ target }}/release/aloka' localstack/emulator run -- tests/localstack/compare {{ ARGS }}

# every fault at every effect of 30 plans, pairs of faults of small ones, planted bugs; `just sweep --write docs/TESTING.md`
sweep *ARGS:
    cargo run --locked -p aloka-tests --example sweep -- {{ ARGS }}

# pairs of faults of the plans that are too large for `just sweep`, for so many minutes
sweep-pairs MINUTES='240':
    cargo run --locked -p aloka-tests --example sweep -- --pairs {{ MINUTES }}

# changes the executor in every way cargo-mutants knows, to see whether a test notices (cargo install cargo-mutants)
mutants *ARGS:
    cargo mutants --in-place --profile mutants --baseline skip --timeout 300 {{ ARGS }}

# calls and deployments per second of the simulated AWS, and beside it of a moto server (needs Python >= 3.10)
bench SECONDS='10':
    cargo run --locked --release -p aloka-tests --example bench
    localstack/emulator --moto python tests/localstack/bench_moto.py {{ SECONDS }}
