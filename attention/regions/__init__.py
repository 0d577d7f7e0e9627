"""Where people are: regions as masks and shares on any grid."""
