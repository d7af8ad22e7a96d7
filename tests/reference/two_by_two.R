source("common.R")
suppressMessages(library(metafor))

# fisher.test finds the conditional odds ratio and its limits by uniroot with tol = 1.2e-4: the same equations here, solved fully
# on the log scale.
exact_or <- function(a, b, c, d, level) {
  n1 <- a + b; n0 <- c + d; m <- a + c
  support <- max(0, m - n0):min(n1, m)
  base <- lchoose(n1, support) + lchoose(n0, m - support)
  density <- function(log_or) { w <- base + support * log_or; w <- exp(w - max(w)); w / sum(w) }
  solve <- function(f) uniroot(f, c(-60, 60), tol = 1e-15, maxiter = 10000)$root
  tail <- (1 - level) / 2
  low <- if (a == min(support)) 0 else exp(solve(function(t) sum(density(t)[support >= a]) - tail))
  high <- if (a == max(support)) Inf else exp(solve(function(t) sum(density(t)[support <= a]) - tail))
  estimate <- if (a == min(support)) 0 else if (a == max(support)) Inf else exp(solve(function(t) sum(density(t) * support) - a))
  c(estimate, low, high, fisher.test(matrix(c(a, c, b, d), 2))$p.value)
}

wald_log <- function(measure, a, b, c, d, add, level) {
  e <- escalc(measure, ai = a + add, bi = b + add, ci = c + add, di = d + add, add = 0)
  z <- qnorm(1 - (1 - level) / 2); se <- sqrt(e$vi)
  c(exp(e$yi + c(0, -1, 1) * z * se), 2 * pnorm(-abs(e$yi / se)))
}

newcombe <- function(a, b, c, d, level) {
  n1 <- a + b; n0 <- c + d
  w1 <- suppressWarnings(prop.test(a, n1, conf.level = level, correct = FALSE)$conf.int)
  w0 <- suppressWarnings(prop.test(c, n0, conf.level = level, correct = FALSE)$conf.int)
  rd <- a / n1 - c / n0
  c(rd, rd - sqrt((a / n1 - w1[1])^2 + (w0[2] - c / n0)^2), rd + sqrt((w1[2] - a / n1)^2 + (c / n0 - w0[1])^2))
}

# The restricted maximum-likelihood p0 by direct maximisation of the likelihood, not by the cubic's closed solution.
restricted <- function(a, b, c, d, delta) {
  range <- c(max(0, -delta), min(1, 1 - delta))
  slope <- function(p) {
    term <- function(x, p) ifelse(x == 0, 0, x / p)
    term(a, p + delta) - term(b, 1 - p - delta) + term(c, p) - term(d, 1 - p)
  }
  inside <- range + c(1, -1) * 1e-14
  if (inside[1] >= inside[2]) return(mean(range))
  if (slope(inside[1]) <= 0) return(range[1])
  if (slope(inside[2]) >= 0) return(range[2])
  uniroot(slope, inside, tol = 1e-16, maxiter = 10000)$root
}
miettinen_nurminen <- function(a, b, c, d, level) {
  n1 <- a + b; n0 <- c + d; n <- n1 + n0; rd <- a / n1 - c / n0; z2 <- qchisq(level, 1)
  excess <- function(delta) {
    p0 <- restricted(a, b, c, d, delta); p1 <- p0 + delta
    (rd - delta)^2 - z2 * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * n / (n - 1)
  }
  limit <- function(end) {
    if (rd == end || excess(end) <= 0) return(end)
    uniroot(excess, sort(c(rd + sign(end - rd) * 1e-10, end)), tol = 1e-15, maxiter = 10000)$root
  }
  c(rd, limit(-1), limit(1))
}

wald_rd <- function(a, b, c, d, level) {
  add <- if ((a == 0 || b == 0) && (c == 0 || d == 0)) 0.5 else 0
  v <- escalc("RD", ai = a + add, bi = b + add, ci = c + add, di = d + add, add = 0)$vi
  rd <- a / (a + b) - c / (c + d); half <- qnorm(1 - (1 - level) / 2) * sqrt(v)
  c(rd, max(-1, rd - half), min(1, rd + half), 2 * pnorm(-abs(rd / sqrt(v))))
}

pearson <- function(a, b, c, d) {
  if (a + c == 0 || b + d == 0) return(0)
  unname(suppressWarnings(chisq.test(matrix(c(a, c, b, d), 2), correct = FALSE))$statistic)
}

one <- function(a, b, c, d, level) {
  n <- a + b + c + d; x2 <- pearson(a, b, c, d); none <- a + c == 0; all <- b + d == 0
  score <- function(x) pchisq(x, 1, lower.tail = FALSE)
  found <- list("RD,newcombe" = c(newcombe(a, b, c, d, level), score(x2)),
    "RD,miettinen-nurminen" = c(miettinen_nurminen(a, b, c, d, level), score(x2 * (n - 1) / n)),
    "RD,wald" = wald_rd(a, b, c, d, level))
  if (!none) found[["RR,katz"]] <- wald_log("RR", a, b, c, d, if (a == 0 || c == 0 || all) 0.5 else 0, level)
  if (!none && !all) {
    found[["OR,woolf"]] <- wald_log("OR", a, b, c, d, if (min(a, b, c, d) == 0) 0.5 else 0, level)
    found[["OR-exact,conditional"]] <- exact_or(a, b, c, d, level)
  }
  numbers <- do.call(rbind, found)
  parts <- do.call(rbind, strsplit(names(found), ","))
  data.frame(e1 = a, n1 = a + b, e0 = c, n0 = c + d, level = level, measure = parts[, 1], method = parts[, 2],
    estimate = numbers[, 1], low = numbers[, 2], high = numbers[, 3], p = numbers[, 4])
}

cells <- rbind(
  c(0, 1, 1, 0), c(1, 0, 1, 0), c(0, 1, 0, 1), c(1, 4, 2, 3), c(0, 10, 0, 20), c(10, 0, 20, 0), c(10, 0, 0, 20), c(0, 10, 10, 0),
  c(0, 15, 3, 12), c(15, 0, 12, 3), c(5, 51, 0, 29), c(9, 1, 3, 7), c(56, 14, 48, 32), c(10, 0, 0, 10), c(2, 24, 3, 47), c(1, 12, 2, 24),
  c(7, 25, 4, 28), c(20, 20, 20, 20), c(3, 1, 1, 3), c(104, 11, 111, 113), c(2, 62, 5, 50), c(18, 2, 11, 4), c(4, 119, 11, 128),
  c(45, 5, 30, 20), c(30, 1, 29, 1), c(300, 200, 250, 250), c(1, 999, 10, 990), c(60, 0, 55, 4), c(12, 18, 12, 18), c(33, 27, 8, 12))
rows <- list()
for (i in seq_len(nrow(cells))) for (level in c(0.8, 0.9, 0.95, 0.99))
  rows[[length(rows) + 1]] <- do.call(one, as.list(c(cells[i, ], level)))
pin(do.call(rbind, rows), "two_by_two.csv", "metafor")

tests <- list()
for (i in seq_len(nrow(cells))) {
  t <- matrix(cells[i, ], 2, byrow = TRUE)
  if (any(rowSums(t) == 0) || any(colSums(t) == 0)) next
  plain <- suppressWarnings(chisq.test(t, correct = FALSE)); yates <- suppressWarnings(chisq.test(t)); n <- sum(t)
  less <- plain$statistic * (n - 1) / n
  tests[[length(tests) + 1]] <- data.frame(a = t[1, 1], b = t[1, 2], c = t[2, 1], d = t[2, 2], pearson = plain$statistic, pearson_p = plain$p.value,
    yates = yates$statistic, yates_p = yates$p.value, n1 = less, n1_p = pchisq(less, 1, lower.tail = FALSE), fisher_p = fisher.test(t)$p.value)
}
pin(do.call(rbind, tests), "two_by_two_tests.csv")
