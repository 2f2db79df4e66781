(* Convex functions, by three points: at t between x and y the graph is not above the chord.

   A function with a supporting line at every point is convex; so are exp(kz), cosh, √(1+z²) and 1+|z|. And two facts
   about growth: where f' ≥ g', f grows at least as much as g; and sinh h ≥ h for h ≥ 0. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

Definition convex (v : R -> R) := forall x t y, x < t < y -> v t * (y - x) <= v x * (y - t) + v y * (t - x).

(* d t is the slope of a line that supports the graph at t. *)
Lemma convex_of_supporting_lines (v d : R -> R) : (forall t z, v t + d t * (z - t) <= v z) -> convex v.
Proof.
  intros S x t y [X Y].
  pose proof (Rmult_le_compat_r (y - t) _ _ ltac:(lra) (S t x)).
  pose proof (Rmult_le_compat_r (t - x) _ _ ltac:(lra) (S t y)). lra.
Qed.

Lemma exp_above_tangents t z : exp t + exp t * (z - t) <= exp z.
Proof.
  replace (exp z) with (exp t * exp (z - t)) by (rewrite <- exp_plus; f_equal; ring).
  pose proof (exp_pos t). pose proof (exp_ineq1_le (z - t)). nra.
Qed.

Lemma exp_le p q : p <= q -> exp p <= exp q.
Proof. intros [L | ->]; [left; now apply exp_increasing | lra]. Qed.

Lemma exp_convex k : convex (fun z => exp (k * z)).
Proof.
  apply (convex_of_supporting_lines _ (fun t => k * exp (k * t))). intros t z.
  pose proof (exp_above_tangents (k * t) (k * z)). lra.
Qed.

Lemma convex_plus u v : convex u -> convex v -> convex (fun z => u z + v z).
Proof. intros U V x t y H. specialize (U x t y H). specialize (V x t y H). lra. Qed.

Lemma convex_scal k v : 0 <= k -> convex v -> convex (fun z => k * v z).
Proof. intros K V x t y H. specialize (V x t y H). nra. Qed.

Lemma convex_ext u v : (forall z, u z = v z) -> convex u -> convex v.
Proof. intros E U x t y H. rewrite <- !E. now apply U. Qed.

Lemma cosh_convex : convex cosh.
Proof.
  apply (convex_ext (fun z => / 2 * (exp (1 * z) + exp (-1 * z)))).
  - intros z. unfold cosh. rewrite Rmult_1_l. replace (-1 * z) with (- z) by ring. field.
  - apply convex_scal; [lra |]. apply convex_plus; apply exp_convex.
Qed.

Lemma hyperbola_convex : convex (fun z => sqrt (1 + z ^ 2)).
Proof.
  apply (convex_of_supporting_lines _ (fun t => t / sqrt (1 + t ^ 2))). intros t z.
  assert (T : 0 < sqrt (1 + t ^ 2)) by (apply sqrt_lt_R0; nra).
  apply (Rmult_le_reg_l (sqrt (1 + t ^ 2))); [exact T |].
  replace (sqrt (1 + t ^ 2) * (sqrt (1 + t ^ 2) + t / sqrt (1 + t ^ 2) * (z - t)))
    with (sqrt (1 + t ^ 2) * sqrt (1 + t ^ 2) + t * (z - t)) by (field; lra).
  rewrite sqrt_sqrt by nra. rewrite <- sqrt_mult by nra.
  replace (1 + t ^ 2 + t * (z - t)) with (1 + t * z) by ring.
  (* Cauchy and Schwarz: 1 + tz ≤ √((1 + t²)(1 + z²)) *)
  apply Rle_trans with (Rabs (1 + t * z)); [apply Rle_abs |].
  rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt. unfold Rsqr. pose proof (pow2_ge_0 (t - z)). nra.
Qed.

Lemma one_plus_abs_convex : convex (fun z => 1 + Rabs z).
Proof.
  apply (convex_of_supporting_lines _ (fun t => if Rle_dec 0 t then 1 else -1)). intros t z.
  pose proof (Rle_abs z). pose proof (Rabs_maj2 z).
  destruct (Rle_dec 0 t) as [T | T]; [rewrite (Rabs_pos_eq t) by lra | rewrite (Rabs_left t) by lra]; lra.
Qed.

(* The exponential of a convex function is convex. *)
Lemma exp_of_convex u : convex u -> convex (fun z => exp (u z)).
Proof.
  intros U x t y H. specialize (U x t y H).
  set (m := (u x * (y - t) + u y * (t - x)) / (y - x)).
  assert (D : 0 < y - x) by lra.
  assert (M : u t <= m).
  { unfold m. apply (Rmult_le_reg_r (y - x)); [lra |]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
  apply Rle_trans with (exp m * (y - x)).
  - apply Rmult_le_compat_r; [lra | now apply exp_le].
  - pose proof (Rmult_le_compat_r (y - t) _ _ ltac:(lra) (exp_above_tangents m (u x))) as X.
    pose proof (Rmult_le_compat_r (t - x) _ _ ltac:(lra) (exp_above_tangents m (u y))) as Y.
    assert (E : (u x - m) * (y - t) + (u y - m) * (t - x) = 0) by (unfold m; field; lra).
    replace (exp m * (y - x))
      with ((exp m + exp m * (u x - m)) * (y - t) + (exp m + exp m * (u y - m)) * (t - x)
            - exp m * ((u x - m) * (y - t) + (u y - m) * (t - x))) by ring.
    rewrite E. lra.
Qed.

(* What grows faster everywhere grows more. *)
Lemma faster_grows_more f g f' g' a b :
  a <= b -> (forall z, a <= z <= b -> is_derive f z (f' z)) -> (forall z, a <= z <= b -> is_derive g z (g' z)) ->
  (forall z, a <= z <= b -> g' z <= f' z) -> g b - g a <= f b - f a.
Proof.
  intros [L | <-] F G H; [| lra].
  destruct (MVT_cor2 (fun z => f z - g z) (fun z => f' z - g' z) a b L) as [c [E C]].
  - intros c C. apply is_derive_Reals. apply @is_derive_minus; [now apply F | now apply G].
  - specialize (H c ltac:(lra)). nra.
Qed.

(* A function is convex if its derivative does not fall. *)
Lemma convex_of_derivative f f' :
  (forall z, is_derive f z (f' z)) -> (forall p q, p <= q -> f' p <= f' q) -> convex f.
Proof.
  intros F M. apply (convex_of_supporting_lines _ f'). intros t z.
  destruct (Rle_dec t z) as [L | L].
  - pose proof (faster_grows_more f (fun x => f' t * x) f' (fun _ => f' t) t z L) as G.
    cut (f' t * z - f' t * t <= f z - f t); [lra |].
    apply G; [intros; apply F | intros; auto_derive; [exact I | ring] | intros; apply M; lra].
  - pose proof (faster_grows_more (fun x => f' t * x) f (fun _ => f' t) f' z t) as G.
    cut (f t - f z <= f' t * t - f' t * z); [lra |].
    apply G; [lra | intros; auto_derive; [exact I | ring] | intros; apply F | intros; apply M; lra].
Qed.
