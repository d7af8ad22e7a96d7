# Writes pinned results with the versions that made them. Run every script from this folder: Rscript <name>.R
options(digits = 17, warn = 1)

versions <- function(packages) {
  found <- vapply(packages, function(p) paste(p, as.character(packageVersion(p))), "")
  paste(c(R.version.string, found), collapse = "; ")
}

pin <- function(frame, file, packages = character()) {
  numbers <- vapply(frame, is.numeric, TRUE)
  frame[numbers] <- lapply(frame[numbers], function(x) ifelse(is.na(x), "", sprintf("%.17g", x)))
  connection <- file(file, "wb")
  writeLines(paste("#", versions(packages)), connection, sep = "\n")
  write.table(frame, connection, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
  close(connection)
}
