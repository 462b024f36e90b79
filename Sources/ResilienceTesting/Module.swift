// Replaced by the testing module.
