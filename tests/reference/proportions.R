source("common.R")

wilson <- function(x, n, level) suppressWarnings(prop.test(x, n, conf.level = level, correct = FALSE)$conf.int)
clopper_pearson <- function(x, n, level) binom.test(x, n, conf.level = level)$conf.int
agresti_coull <- function(x, n, level) {
  z <- qnorm(1 - (1 - level) / 2)
  p <- (x + z^2 / 2) / (n + z^2)
  half <- z * sqrt(p * (1 - p) / (n + z^2))
  c(max(0, p - half), min(1, p + half))
}
jeffreys <- function(x, n, level) {
  tail <- (1 - level) / 2
  c(if (x == 0) 0 else qbeta(tail, x + 0.5, n - x + 0.5), if (x == n) 1 else qbeta(1 - tail, x + 0.5, n - x + 0.5))
}
methods <- list("wilson" = wilson, "clopper-pearson" = clopper_pearson, "agresti-coull" = agresti_coull, "jeffreys" = jeffreys)

rows <- list()
for (n in c(1, 2, 3, 5, 7, 10, 15, 29, 60, 148, 263, 1000))
  for (x in unique(c(0, 1, 2, floor(n * c(0.1, 0.25, 0.5, 0.75, 0.9)), n - 1, n)))
    if (x >= 0 && x <= n)
      for (level in c(0.8, 0.9, 0.95, 0.99, 0.999))
        for (method in names(methods)) {
          limits <- methods[[method]](x, n, level)
          rows[[length(rows) + 1]] <- data.frame(events = x, n = n, level = level, method = method, low = limits[1], high = limits[2])
        }
pin(do.call(rbind, rows), "proportions.csv")
