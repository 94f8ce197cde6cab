{size: '1' + (import 'deep/deep.libsonnet')}
