local lib = import 'lib.libsonnet';
{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: std.extVar('e')}, data: {size: lib.size, text: importstr 'text.txt'}}
