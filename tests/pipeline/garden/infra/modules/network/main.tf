resource "terraform_data" "b" {
  input = templatefile("${path.module}/t.tpl", {})
}
