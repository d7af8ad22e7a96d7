source("common.R")

# Patients whose outcome has to be another one until P of fisher.test is at least alpha: events added where they are rarer, or
# taken away where they are more common. Written as a walk over 2 x 2 matrices, one patient at a time.
p_of <- function(m) fisher.test(m)$p.value
walk <- function(m, row, from, to, alpha) {
  steps <- 0
  while (p_of(m) < alpha) {
    if (m[row, from] == 0) return(NA)
    m[row, from] <- m[row, from] - 1; m[row, to] <- m[row, to] + 1; steps <- steps + 1
  }
  steps
}
# The E-value solves for the association g, the same with group and outcome, whose largest possible bias g g / (g + g - 1) is the ratio.
e_of <- function(ratio) {
  above <- max(ratio, 1 / ratio)
  if (above == 1) return(1)
  uniroot(function(g) g * g / (2 * g - 1) - above, c(1 + 1e-12, 1e6), tol = 1e-15, maxiter = 10000)$root
}
one <- function(e1, n1, e0, n0, alpha) {
  m <- matrix(c(e1, e0, n1 - e1, n0 - e0), 2)
  rare <- if (e1 / n1 < e0 / n0) 1 else 2
  rr <- (e1 / n1) / (e0 / n0); half <- qnorm(0.975) * sqrt(1 / e1 - 1 / n1 + 1 / e0 - 1 / n0)
  limits <- rr * exp(c(-half, half)); near <- if (limits[1] > 1) limits[1] else if (limits[2] < 1) limits[2] else 1
  data.frame(e1 = e1, n1 = n1, e0 = e0, n0 = n0, alpha = alpha, p = p_of(m), index = walk(m, rare, 2, 1, alpha),
    other = walk(m, 3 - rare, 1, 2, alpha), rr = rr, low = limits[1], high = limits[2], e = e_of(rr), e_limit = e_of(near))
}
cells <- rbind(c(15, 40, 6, 40), c(6, 40, 15, 40), c(40, 60, 100, 210), c(5, 20, 5, 20), c(10, 40, 6, 40), c(7, 8, 1, 9),
  c(1, 30, 29, 30), c(56, 70, 48, 80), c(11, 300, 40, 100), c(3, 5, 9, 200), c(120, 150, 100, 150), c(8, 12, 1, 250))
rows <- list()
for (i in seq_len(nrow(cells))) for (alpha in c(0.01, 0.05))
  rows[[length(rows) + 1]] <- do.call(one, as.list(c(cells[i, ], alpha)))
pin(do.call(rbind, rows), "fragility.csv")
