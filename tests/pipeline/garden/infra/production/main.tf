module "net" {
  source = "../modules/network"
}
