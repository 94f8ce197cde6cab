package deletion

import rego.v1

import data.lib.terraform

# Types whose data goes with them.
keeps_data := {
	"aws_db_instance", "aws_rds_cluster", "aws_dynamodb_table", "aws_s3_bucket", "aws_efs_file_system", "aws_ebs_volume",
	"aws_elasticache_replication_group", "aws_kms_key", "google_sql_database_instance", "google_storage_bucket",
	"google_compute_disk", "google_bigquery_dataset", "google_kms_crypto_key", "azurerm_storage_account",
	"azurerm_mssql_database", "azurerm_postgresql_flexible_server", "azurerm_managed_disk", "azurerm_key_vault",
}

# METADATA
# title: What keeps data is not destroyed in passing
# description: A database, bucket, volume or key that Terraform destroys or replaces takes its data with it.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle
# custom:
#   id: terraform-no-data-destroyed
#   severity: error
#   remediation: "Take a backup, set prevent_destroy, and let the owner of the data agree to a waiver."
deny_terraform_no_data_destroyed contains msg if {
	terraform.is_resource
	input.kind in keeps_data
	msg := sprintf("%s would be destroyed with its data", [terraform.address])
}
