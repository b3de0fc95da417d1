//! Long texts of the help.

/// After the help of `aloka` itself.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done; with plan -detailed-exitcode: no changes
  1    error; after a failed apply the state is saved, and the same command takes up the work
  2    plan -detailed-exitcode: there are changes; receipts check, certify: something is different
  127  no command given

Environment:
  ALOKA_CLOUD             sim or aws, as --cloud
  TF_WORKSPACE            the workspace, before the one that is selected; TF_DATA_DIR: where that is noted
  TF_VAR_name             value of a variable; TF_VAR_db_password keeps the password out of files
  AWS_REGION              used unless terraform.tfvars or -var says otherwise
  AWS_PROFILE             whose credentials are used, if AWS_ACCESS_KEY_ID is not set; aws_profile comes before both
  ALOKA_ALLOW_CREDENTIALS_IN_USER_DATA
                          1 lets app_user_data name a file that looks as if it held credentials
  AWS_ENDPOINT_URL        where requests go instead of to AWS; with _S3 and the like, those of one service
  AWS_CA_BUNDLE           the file of certificates to trust instead of the machine's
  HTTPS_PROXY, NO_PROXY   the way to AWS; this machine itself is never reached by a proxy
  ALOKA_BUCKET_OWNER      the account of the state's bucket, if it is not that of the credentials
  ALOKA_HTTP_HOSTS        hosts that may be spoken to without TLS besides this machine
  ALOKA_TRUST_DIRECTORY   path of a directory that is used although it belongs to another user; * for any
  TF_CLI_ARGS, TF_CLI_ARGS_plan
                          flags for every command, or for one: TF_CLI_ARGS_state_list for aloka state list
  TF_INPUT                0 asks no questions, as -input=false
  NO_COLOR                no colour
  CLICOLOR_FORCE, FORCE_COLOR
                          colour in a pipe, too

Flags may be written with one dash or two, as Terraform's: -out=tfplan, --out tfplan.

Examples:
  aloka simulate                          rehearse everything on a simulated AWS, no account needed
  aloka plan -out=tfplan                  what would change, as exact API calls
  aloka apply tfplan                      send these calls and no others
  aloka -chdir=envs/prod output -json";

/// After the help of `aloka simulate`.
pub(super) const SIMULATE_EXAMPLES: &str = "\
Examples:
  aloka simulate
  aloka simulate -seed=7 -var 'app_instance_count=2'
  aloka simulate -runs=10000                             how long apply and destroy take, and why
  aloka simulate -timeline -seed=7                       the timeline alone, as wide as the terminal
  aloka simulate -fault='CreateNatGateway#1=lost-reply' -fault='CreateDBInstance=crash-after'
  aloka simulate -seed=7 -trace=run.jsonl                write down every event
  aloka simulate -replay=run.jsonl -until=300            what had happened, and what was in the account

Faults:
  WHERE=WHAT, each strikes once.
  WHERE  OPERATION#N   the Nth call of an operation, such as CreateSubnet#2; the first without #N
         call#N        the Nth call of all, planning included
         write#N       the Nth write of the state
         effect#N      the call or write that has this number in a trace
  WHAT   crash-before, crash-after, crash-answered
                                     the process dies before the effect, before it learns of it, or before it writes
                                     down what it learned
         lost-reply                  AWS acts, and its answer is lost
         throttled, not-found, expired-credentials, refused:CODE
                                     AWS does not act and says so
         server-error, server-error-acted
                                     AWS answers 500, without or after acting
         failed:CODE                 AWS accepts CreateNatGateway, RunInstances or CreateDBInstance, and what it made
                                     fails with CODE
         store-failed, store-unsure  the state cannot be written, or is written and the store says it is not
         overtaken                   another process writes the state first
         stop, abandon               the user asks to stop, once or twice";
