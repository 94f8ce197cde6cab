variable "size" {}
resource "terraform_data" "a" {
  input = var.size
}
module "deep" {
  source = "./deep"
}
