module "net" {
  source = "../modules/net"
  size   = var.size
}
variable "size" {
  default = 1
}
locals {
  text = file("${path.module}/text.txt")
}
