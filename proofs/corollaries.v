(* What follows from |f'(x)| |f'(y)| (x − y)² ≤ K² for chains of sigmoids.

   Where the gradient is large at one input it is small at all others; of a sequence of ever deeper chains, at most one input has
   gradients that grow beyond all bounds, whatever the weights; and what holds for the input holds for each weight and each bias, with
   all else fixed, since the output as a function of one of them is again the output of such a chain. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import chain two_point class_n activations sigmoid.
Import ListNotations.
Open Scope R_scope.

Theorem explosion_here_means_vanishing_elsewhere parameters x y :
  parameters <> [] -> let f' := gradient (uniform sigmoid parameters) in
  f' x <> 0 -> x <> y -> Rabs (f' y) <= K ^ 2 / (Rabs (f' x) * (x - y) ^ 2).
Proof.
  intros N f' X D. pose proof (depth_never_widens parameters x y N) as T. cbv zeta in T. fold f' in T.
  assert (P : 0 < Rabs (f' x) * (x - y) ^ 2).
  { apply Rmult_lt_0_compat; [now apply Rabs_pos_lt |]. rewrite <- Rsqr_pow2. apply Rsqr_pos_lt. lra. }
  apply (Rmult_le_reg_r _ _ _ P). unfold Rdiv. rewrite (Rmult_assoc (K ^ 2)), Rinv_l by lra. lra.
Qed.

Theorem at_most_one_input_explodes (chains : nat -> list (R * R)) x y :
  (forall n, chains n <> []) -> let f' n := gradient (uniform sigmoid (chains n)) in
  (forall c, exists n, c < Rabs (f' n x) /\ c < Rabs (f' n y)) -> x = y.
Proof.
  intros N f' E. destruct (Req_dec x y) as [| D]; [assumption | exfalso].
  assert (P : 0 < Rabs (x - y)) by (apply Rabs_pos_lt; lra). pose proof K_positive as HK.
  assert (C : 0 < K / Rabs (x - y)) by now apply Rdiv_lt_0_compat.
  destruct (E (K / Rabs (x - y))) as [n [X Y]].
  pose proof (explosion_width (chains n) _ x y (N n) C X Y) as W.
  replace (K / (K / Rabs (x - y))) with (Rabs (x - y)) in W by (field; lra). lra.
Qed.

Lemma output_app a b x : output (a ++ b) x = output b (output a x).
Proof. revert x. induction a as [| l rest IH]; intros x; simpl; [reflexivity | apply IH]. Qed.

(* If g is the output of a chain as a function of some θ, its derivative exceeds c on a set at most K/c wide. *)
Lemma window (g : R -> R) parameters c t u d e :
  parameters <> [] -> (forall z, output (uniform sigmoid parameters) z = g z) -> 0 < c ->
  is_derive g t d -> is_derive g u e -> c < Rabs d -> c < Rabs e -> Rabs (t - u) < K / c.
Proof.
  intros N E C T U D F.
  assert (G : forall z v, is_derive g z v -> v = gradient (uniform sigmoid parameters) z).
  { intros z v H. apply is_derive_unique in H. rewrite <- H. apply is_derive_unique.
    apply (is_derive_ext _ _ _ _ E), gradient_is_derivative. }
  rewrite (G _ _ T) in D. rewrite (G _ _ U) in F. now apply (explosion_width parameters c).
Qed.

Theorem bias_window before w after x c t u d e :
  let g b := output (uniform sigmoid (before ++ (w, b) :: after)) x in
  0 < c -> is_derive g t d -> is_derive g u e -> c < Rabs d -> c < Rabs e -> Rabs (t - u) < K / c.
Proof.
  intros g. apply (window g ((1, w * output (uniform sigmoid before) x) :: after)); [discriminate |].
  intros z. unfold g. rewrite uniform_app, output_app. simpl. f_equal.
  unfold neuron, preactivation. simpl. do 4 f_equal. ring.
Qed.

Theorem weight_window before b after x c t u d e :
  let g w := output (uniform sigmoid (before ++ (w, b) :: after)) x in
  0 < c -> is_derive g t d -> is_derive g u e -> c < Rabs d -> c < Rabs e -> Rabs (t - u) < K / c.
Proof.
  intros g. apply (window g ((output (uniform sigmoid before) x, b) :: after)); [discriminate |].
  intros z. unfold g. rewrite uniform_app, output_app. simpl. f_equal.
  unfold neuron, preactivation. simpl. do 4 f_equal. ring.
Qed.

(* A recurrent neuron h ↦ σ(w h + u x_t + b), as a function of its initial state: at every time, whatever its inputs x_1, x_2, …. *)
Corollary recurrent_window w u b inputs c h k :
  inputs <> [] -> let f' := gradient (uniform sigmoid (map (fun x => (w, u * x + b)) inputs)) in
  0 < c -> c < Rabs (f' h) -> c < Rabs (f' k) -> Rabs (h - k) < K / c.
Proof.
  intros N f'. apply explosion_width. destruct inputs; [congruence | discriminate].
Qed.
