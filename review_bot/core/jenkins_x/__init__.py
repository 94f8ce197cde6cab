"""Jenkins X: helmfiles and releases, requirements, generated output, Lighthouse's triggers (docs/jenkins-x.md)."""
